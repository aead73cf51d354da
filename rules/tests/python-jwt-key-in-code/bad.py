import jwt
jwt.encode({'u': 1}, 'secret', algorithm='HS256')

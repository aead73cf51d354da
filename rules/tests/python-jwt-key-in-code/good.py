import jwt, os
jwt.encode({'u': 1}, os.environ['KEY'], algorithm='HS256')

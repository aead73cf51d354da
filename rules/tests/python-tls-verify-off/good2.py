import jwt
jwt.decode(token, key, verify=False)

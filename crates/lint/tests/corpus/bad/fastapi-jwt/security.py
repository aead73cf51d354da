import jwt
from fastapi import Header


def current_user(authorization: str = Header()):
    token = authorization.removeprefix("Bearer ")
    return jwt.decode(token, options={"verify_signature": False})

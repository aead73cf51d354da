import os
import jwt
from fastapi import Depends, HTTPException
from fastapi.security import HTTPBearer

bearer = HTTPBearer()

def current_user(token=Depends(bearer)):
    try:
        claims = jwt.decode(token.credentials, os.environ["JWT_KEY"], algorithms=["HS256"])
    except jwt.PyJWTError:
        raise HTTPException(401)
    return claims["sub"]

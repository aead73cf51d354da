from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlmodel import Session
from db import Member, engine
from security import read_token

oauth2 = OAuth2PasswordBearer(tokenUrl="token")
app = FastAPI()

def get_current_member(token: str = Depends(oauth2)):
    member = read_token(token)
    if member is None:
        raise HTTPException(401)
    return member

@app.get("/members/me")
def me(member=Depends(get_current_member)):
    return member

@app.put("/members/me")
def change(name: str, member=Depends(get_current_member)):
    member.name = name
    return member

@app.delete("/members/{member_id}")
def delete(member_id: int):
    with Session(engine) as session:
        session.delete(session.get(Member, member_id))
        session.commit()
    return {"ok": True}

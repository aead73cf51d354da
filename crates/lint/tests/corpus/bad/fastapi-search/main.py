from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlalchemy.orm import Session
from database import get_session

app = FastAPI()


@app.get("/people")
def people(city: str, limit: int = 20, session: Session = Depends(get_session)):
    statement = text(f"SELECT * FROM people WHERE city = '{city}' LIMIT {limit}")
    return session.execute(statement).mappings().all()

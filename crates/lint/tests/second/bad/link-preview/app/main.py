from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from app.preview import load_title

class Link(BaseModel):
    url: str

app = FastAPI()

@app.post("/links")
async def add(link: Link):
    return {"title": await load_title(link.url)}

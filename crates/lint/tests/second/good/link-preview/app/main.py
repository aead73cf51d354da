from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from urllib.parse import urlsplit
from app.preview import ALLOWED, load_title

class Link(BaseModel):
    url: str

app = FastAPI()

@app.post("/links")
async def add(link: Link):
    if urlsplit(link.url).hostname not in ALLOWED:
        raise HTTPException(400, "unknown host")
    return {"title": await load_title(link.url)}

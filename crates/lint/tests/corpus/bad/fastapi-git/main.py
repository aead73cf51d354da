import os
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Clone(BaseModel):
    url: str
    depth: int = 1


@app.post("/clone")
async def clone(job: Clone):
    code = os.system(f"git clone --depth {job.depth} {job.url} /work/repo")
    return {"code": code}

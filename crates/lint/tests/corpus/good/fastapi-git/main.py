import asyncio
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Clone(BaseModel):
    url: str
    depth: int = 1


@app.post("/clone")
async def clone(job: Clone):
    process = await asyncio.create_subprocess_exec("git", "clone", "--depth", str(job.depth), "--", job.url, "/work/repo")
    code = await process.wait()
    return {"code": code}

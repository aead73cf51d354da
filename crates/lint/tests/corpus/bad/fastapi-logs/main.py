from pathlib import Path
from fastapi import FastAPI, HTTPException

app = FastAPI()
LOGS = Path("/var/log/app")


@app.get("/logs/{name:path}")
def log(name: str):
    file = LOGS / name
    if not file.exists():
        raise HTTPException(404)
    return {"text": file.read_text()}

from pathlib import Path
from fastapi import FastAPI, HTTPException

app = FastAPI()
LOGS = Path("/var/log/app").resolve()


@app.get("/logs/{name:path}")
def log(name: str):
    file = (LOGS / name).resolve()
    if LOGS not in file.parents or not file.exists():
        raise HTTPException(404)
    return {"text": file.read_text()}

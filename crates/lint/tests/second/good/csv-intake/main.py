import csv
import io
from fastapi import FastAPI, HTTPException, UploadFile

app = FastAPI()
LIMIT = 5 * 1024 * 1024

@app.post("/csv")
async def intake(file: UploadFile):
    raw = await file.read(LIMIT + 1)
    if len(raw) > LIMIT:
        raise HTTPException(413)
    text = raw.decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    return {"rows": len(rows)}

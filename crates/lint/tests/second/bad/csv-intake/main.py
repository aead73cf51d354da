import csv
import io
from fastapi import FastAPI, HTTPException, UploadFile

app = FastAPI()

@app.post("/csv")
async def intake(file: UploadFile):
    text = (await file.read()).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    return {"rows": len(rows)}

from pathlib import Path
from fastapi import FastAPI, HTTPException
from fastapi.responses import PlainTextResponse

app = FastAPI()
NOTES = Path("notes").resolve()

@app.get("/notes/{slug:path}", response_class=PlainTextResponse)
def read_note(slug: str):
    target = NOTES / f"{slug}.md"
    if not target.is_file():
        raise HTTPException(404)
    return target.read_text()

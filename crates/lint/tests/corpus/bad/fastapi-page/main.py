from fastapi import FastAPI, Form
from fastapi.responses import HTMLResponse

app = FastAPI()
guests: list[str] = []


def page(items):
    rows = "".join(f"<li>{item}</li>" for item in items)
    return f"<ul>{rows}</ul>"


@app.post("/join")
def join(name: str = Form(...)):
    guests.append(name)
    return {"ok": True}


@app.get("/", response_class=HTMLResponse)
def index():
    return page(guests)

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from html import escape

app = FastAPI()

TEMPLATE = """<html><body><h1>Badge of {name}</h1><p>{role}</p></body></html>"""

@app.get("/badge", response_class=HTMLResponse)
async def badge(request: Request):
    params = dict(request.query_params)
    name = params.get("name", "nobody")
    role = params.get("role", "guest")
    return TEMPLATE.format(name=escape(name), role=escape(role))

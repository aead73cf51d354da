from defusedxml import ElementTree as etree
from fastapi import FastAPI, Request

app = FastAPI()

@app.post("/feed")
async def feed(request: Request):
    body = await request.body()
    tree = etree.fromstring(body)
    return {"items": len(tree.findall(".//item"))}

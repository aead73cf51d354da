import yaml
from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/import")
async def import_settings(request: Request):
    body = await request.body()
    settings = yaml.safe_load(body)
    return {"keys": list(settings)}

import yaml
from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/import")
async def import_settings(request: Request):
    body = await request.body()
    settings = yaml.load(body, Loader=yaml.Loader)
    return {"keys": list(settings)}

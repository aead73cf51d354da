import yaml
from fastapi import FastAPI, File, UploadFile

app = FastAPI()

@app.post("/import")
async def import_config(file: UploadFile = File(...)):
    content = await file.read(200_000)
    config = yaml.load(content, Loader=yaml.SafeLoader)
    return {"keys": sorted(config)}

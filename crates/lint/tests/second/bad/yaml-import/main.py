import yaml
from fastapi import FastAPI, File, UploadFile

app = FastAPI()

@app.post("/import")
async def import_config(file: UploadFile = File(...)):
    content = await file.read()
    config = yaml.load(content, Loader=yaml.UnsafeLoader)
    return {"keys": sorted(config)}

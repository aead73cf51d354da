from fastapi import BackgroundTasks, FastAPI
from app.jobs import transcode

app = FastAPI()

@app.post("/videos/{name}/transcode")
async def start(name: str, preset: str, tasks: BackgroundTasks):
    tasks.add_task(transcode, name, preset)
    return {"queued": name}

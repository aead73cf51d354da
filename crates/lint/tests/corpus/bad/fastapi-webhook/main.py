import httpx
from fastapi import BackgroundTasks, FastAPI
from pydantic import BaseModel

app = FastAPI()


class Subscription(BaseModel):
    callback: str
    event: str


async def notify(target, event):
    async with httpx.AsyncClient() as client:
        await client.post(target, json={"event": event})


@app.post("/subscribe")
async def subscribe(subscription: Subscription):
    await notify(subscription.callback, subscription.event)
    return {"ok": True}

from urllib.parse import urlsplit
import httpx
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

app = FastAPI()
PARTNERS = ("hooks.example.com", "events.example.org")


class Subscription(BaseModel):
    callback: str
    event: str


def ensure_partner(address):
    parts = urlsplit(address)
    if parts.scheme != "https" or parts.hostname not in PARTNERS:
        raise HTTPException(400, "unknown partner")


async def notify(target, event):
    async with httpx.AsyncClient() as client:
        await client.post(target, json={"event": event})


@app.post("/subscribe")
async def subscribe(subscription: Subscription):
    ensure_partner(subscription.callback)
    await notify(subscription.callback, subscription.event)
    return {"ok": True}

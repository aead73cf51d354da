import base64
import json
import pickle
from flask import Flask, request, make_response

app = Flask(__name__)

def load_state(cookie):
    raw = base64.urlsafe_b64decode(cookie)
    return json.loads(raw)

@app.get("/")
def index():
    state = load_state(request.cookies["state"]) if "state" in request.cookies else {}
    return {"visits": state.get("visits", 0)}

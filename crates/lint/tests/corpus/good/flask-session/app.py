import base64
import json
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.get("/cart")
def cart():
    raw = request.cookies.get("cart")
    if not raw:
        return jsonify([])
    items = json.loads(base64.b64decode(raw))
    return jsonify(items)

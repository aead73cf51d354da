from defusedxml import ElementTree
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/feed")
def feed():
    root = ElementTree.fromstring(request.data)
    return jsonify([item.findtext("title") for item in root.iter("item")])

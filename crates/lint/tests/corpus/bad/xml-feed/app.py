from flask import Flask, jsonify, request
from lxml import etree

app = Flask(__name__)


@app.post("/feed")
def feed():
    parser = etree.XMLParser(resolve_entities=True)
    root = etree.fromstring(request.data, parser)
    return jsonify([item.findtext("title") for item in root.iter("item")])

import importlib
from flask import Flask, request

app = Flask(__name__)
EXPORTERS = {"csv": "exporters.csv", "json": "exporters.json"}

@app.get("/export")
def export():
    kind = request.args["kind"]
    module = importlib.import_module(EXPORTERS[kind])
    return module.run()

import importlib
from flask import Flask, request

app = Flask(__name__)

@app.get("/export")
def export():
    kind = request.args["kind"]
    module = importlib.import_module("exporters." + kind)
    return module.run()

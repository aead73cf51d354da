import os
from flask import Flask, abort, send_file

app = Flask(__name__)
ROOT = os.path.realpath("vault")

def locate(name):
    return os.path.join(ROOT, name)

@app.route("/vault/<path:name>")
def fetch(name):
    path = locate(name)
    if not os.path.exists(path):
        abort(404)
    return send_file(path)

import os
from flask import Flask, abort, request, send_file

app = Flask(__name__)
FOLDER = os.path.realpath(os.path.join(os.path.dirname(__file__), "files"))


@app.get("/download")
def download():
    name = request.args.get("name")
    path = os.path.realpath(os.path.join(FOLDER, name))
    if os.path.commonpath([FOLDER, path]) != FOLDER or not os.path.exists(path):
        abort(404)
    return send_file(path, as_attachment=True)

import os
from flask import Flask, request, jsonify
from werkzeug.utils import secure_filename

app = Flask(__name__)
UPLOADS = "static/avatars"

@app.route("/avatar", methods=["POST"])
def avatar():
    upload = request.files["avatar"]
    destination = os.path.join(UPLOADS, upload.filename)
    upload.save(destination)
    return jsonify(url="/" + destination)

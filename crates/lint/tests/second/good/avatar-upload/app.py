import os
from flask import Flask, request, jsonify
from werkzeug.utils import secure_filename

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 4 * 1024 * 1024
UPLOADS = "static/avatars"

@app.route("/avatar", methods=["POST"])
def avatar():
    upload = request.files["avatar"]
    destination = os.path.join(UPLOADS, secure_filename(upload.filename))
    upload.save(destination)
    return jsonify(url="/" + destination)

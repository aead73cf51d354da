import os
import uuid
from flask import Flask, request
from werkzeug.utils import secure_filename

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 8 * 1024 * 1024
UPLOADS = "uploads"


@app.post("/upload")
def upload():
    file = request.files["file"]
    target = os.path.join(UPLOADS, f"{uuid.uuid4()}-{secure_filename(file.filename)}")
    file.save(target)
    return {"saved": True}

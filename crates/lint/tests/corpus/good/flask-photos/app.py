from flask import Flask, request
from storage import keep

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 4 * 1024 * 1024


@app.post("/photos")
def photos():
    photo = request.files["photo"]
    keep(photo.stream)
    return {"ok": True}

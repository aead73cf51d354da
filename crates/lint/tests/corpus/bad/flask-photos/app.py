from flask import Flask, request
from storage import keep

app = Flask(__name__)


@app.post("/photos")
def photos():
    photo = request.files["photo"]
    keep(photo.stream)
    return {"ok": True}

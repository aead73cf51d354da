import io
import tarfile
from flask import Flask, request

app = Flask(__name__)

@app.post("/theme")
def theme():
    blob = io.BytesIO(request.files["theme"].read())
    with tarfile.open(fileobj=blob) as archive:
        archive.extractall("themes")
    return "installed"

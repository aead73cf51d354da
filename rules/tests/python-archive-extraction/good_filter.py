import io
import tarfile
from flask import Flask, request
app = Flask(__name__)
@app.post("/")
def put():
    with tarfile.open(fileobj=io.BytesIO(request.files["a"].read())) as archive:
        archive.extractall("themes", filter="data")
    return {}

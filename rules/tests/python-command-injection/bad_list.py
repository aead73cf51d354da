import subprocess

from flask import Flask, request

app = Flask(__name__)


@app.get("/ps")
def processes():
    words = ["bash", "-c", "ps aux | grep " + request.args.get("name", "")]
    return subprocess.run(words, capture_output=True).stdout

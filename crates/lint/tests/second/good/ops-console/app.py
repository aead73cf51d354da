import shlex
import subprocess
from flask import Flask, request

app = Flask(__name__)

def run(cmd):
    return subprocess.run(cmd, shell=True, capture_output=True, text=True).stdout

@app.post("/dig")
def dig():
    payload = request.get_json()
    domain = payload.get("domain", "example.org")
    record = payload.get("type", "A")
    return {"output": run(f"dig +short {shlex.quote(domain)} {shlex.quote(record)}")}

import re
from flask import Flask, jsonify, request

app = Flask(__name__)
NOTES = ["buy milk", "call mum"]

@app.get("/search")
def search():
    needle = request.args.get("q", "")
    matcher = re.compile(re.escape(needle), re.IGNORECASE)
    return jsonify([note for note in NOTES if matcher.search(note)])

"""Checksum Desk.

Usage:
  app.py [--debug]

Options:
  --debug  Restart when a file changes.
"""
import crcmod.predefined
from docopt import docopt
from flask import Flask, jsonify, request

try:
    import crcmod._crcfunext

    FAST = True
except ImportError:
    FAST = False

app = Flask(__name__)

ALGORITHMS = ["crc-8", "crc-16", "crc-32", "crc-64"]


@app.route("/")
def index():
    options = "".join(f"<option>{name}</option>" for name in ALGORITHMS)
    return f"""<!doctype html>
<title>Checksum Desk</title>
<h1>Checksum Desk</h1>
<form action="/api/checksum">
  <input name="text" placeholder="Paste a serial number">
  <select name="algorithm">{options}</select>
  <button>Check</button>
</form>"""


@app.route("/api/checksum")
def checksum():
    name = request.args.get("algorithm", "crc-16")
    if name not in ALGORITHMS:
        return jsonify(error="unknown algorithm"), 400
    crc = crcmod.predefined.mkCrcFun(name)
    text = request.args.get("text", "")
    return jsonify(
        algorithm=name,
        checksum=f"{crc(text.encode()):x}",
        fast=FAST,
    )


if __name__ == "__main__":
    arguments = docopt(__doc__)
    app.run(host="127.0.0.1", port=5050, debug=arguments["--debug"])

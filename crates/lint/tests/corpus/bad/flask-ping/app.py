import subprocess
from flask import Flask, render_template, request

app = Flask(__name__)


def run(command):
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=10)
    return result.stdout


@app.route("/tools/ping", methods=["POST"])
def ping():
    host = request.form.get("host", "").strip()
    output = run(f"ping -c 3 {host}")
    return render_template("ping.html", output=output)

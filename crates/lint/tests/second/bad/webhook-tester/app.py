from flask import Flask, request, jsonify
import requests

app = Flask(__name__)
session = requests.Session()

def deliver(hook, body):
    return session.post(hook["url"], json=body, timeout=10)

@app.route("/hooks/test", methods=["POST"])
def test_hook():
    data = request.get_json(force=True)
    hook = {"url": data["url"], "name": data.get("name")}
    r = session.post(hook["url"], json={"ping": True}, timeout=10)
    return jsonify(status=r.status_code)

from urllib.parse import urlparse
from flask import Flask, redirect, request, session
from users import authenticate

app = Flask(__name__)


def is_local(target):
    parts = urlparse(target)
    return parts.netloc == "" and parts.scheme == ""


@app.route("/login", methods=["POST"])
def login():
    user = authenticate(request.form["name"], request.form["code"])
    if user is None:
        return {"error": "no"}, 401
    session["user"] = user
    target = request.args.get("next") or "/"
    if not is_local(target):
        target = "/"
    return redirect(target)

from flask import Flask, redirect, request, session, url_for
from urllib.parse import urlparse
import os

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]

def is_local(target):
    parts = urlparse(target)
    return not parts.netloc and not parts.scheme and target.startswith("/")

@app.route("/login", methods=["POST"])
def login():
    session["user"] = request.form["user"]
    target = request.args.get("next") or url_for("home")
    if not is_local(target):
        target = url_for("home")
    return redirect(target)

@app.route("/")
def home():
    return "home"

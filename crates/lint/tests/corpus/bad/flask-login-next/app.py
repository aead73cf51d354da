from flask import Flask, redirect, request, session
from users import authenticate

app = Flask(__name__)


@app.route("/login", methods=["POST"])
def login():
    user = authenticate(request.form["name"], request.form["code"])
    if user is None:
        return {"error": "no"}, 401
    session["user"] = user
    target = request.args.get("next") or "/"
    return redirect(target)

import os
from flask import Flask, redirect, request, session
from werkzeug.security import check_password_hash

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]


@app.post("/admin")
def admin():
    if check_password_hash(os.environ["ADMIN_HASH"], request.form["password"]):
        session["admin"] = True
        return redirect("/admin/home")
    return {"error": "wrong"}, 403

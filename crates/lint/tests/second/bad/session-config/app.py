import os
from flask import Flask, session

app = Flask(__name__)
app.config.update(SECRET_KEY="dev-key-please", SESSION_COOKIE_HTTPONLY=True)

@app.get("/")
def index():
    session["seen"] = session.get("seen", 0) + 1
    return {"seen": session["seen"]}

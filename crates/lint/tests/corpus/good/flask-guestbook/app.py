from flask import Flask, redirect, render_template, request, url_for

app = Flask(__name__)
entries = []


@app.get("/")
def index():
    return render_template("index.html", entries=entries)


@app.post("/sign")
def sign():
    entries.append({"name": request.form["name"], "text": request.form["text"]})
    return redirect(url_for("index"))

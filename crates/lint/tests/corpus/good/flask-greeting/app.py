from flask import Flask, request
from markupsafe import escape

app = Flask(__name__)

PAGE = """<!doctype html>
<title>Hello</title>
<h1>Hello, {name}!</h1>"""


@app.route("/")
def hello():
    name = request.args.get("name", "stranger")
    return PAGE.format(name=escape(name))

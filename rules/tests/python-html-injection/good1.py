from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
from markupsafe import escape
@app.get('/h')
def h():
    return f"<h1>{escape(request.args['n'])}</h1>"

from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
from werkzeug.utils import secure_filename
@app.get('/f/<name>')
def f(name):
    return open('files/' + secure_filename(name)).read()

from flask import Flask
from flask_login import login_required
app = Flask(__name__)
@app.post('/b')
@login_required
def b():
    return {}
@app.post('/login')
def login():
    return {}

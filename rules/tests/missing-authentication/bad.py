from flask import Flask
from flask_login import login_required
app = Flask(__name__)
@app.get('/a')
@login_required
def a():
    return {}
@app.post('/b')
@login_required
def b():
    return {}
@app.post('/items/delete')
def c():
    db.clear()
    return {}

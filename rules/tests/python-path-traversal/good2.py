from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
from pathlib import Path
BASE = Path('files').resolve()
@app.get('/f/<name>')
def f(name):
    p = (BASE / name).resolve()
    if not p.is_relative_to(BASE):
        return 'no', 404
    return {'t': p.read_text()}

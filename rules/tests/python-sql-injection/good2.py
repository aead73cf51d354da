from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.get('/u')
def u():
    col = request.args.get('sort')
    if col not in ('name', 'age'):
        col = 'name'
    db.execute(f'SELECT * FROM u ORDER BY {col}')
    return 'ok'

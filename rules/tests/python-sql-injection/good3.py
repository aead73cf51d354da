from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.get('/u')
def u():
    n = int(request.args['n'])
    db.execute(f'SELECT * FROM u LIMIT {n}')
    return 'ok'

from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.get('/r')
def r():
    n = request.args['next']
    if not n.startswith('/') or n.startswith('//'):
        n = '/'
    return redirect(n)

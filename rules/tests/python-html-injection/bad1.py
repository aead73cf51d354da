from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.get('/h')
def h():
    return f"<h1>{request.args['n']}</h1>"

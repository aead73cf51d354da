from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.get('/c')
def c():
    return str(eval(request.args['e']))

from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.get('/r')
def r():
    return redirect(request.args['next'])

from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.get('/f/<name>')
def f(name):
    return open('files/' + name).read()

from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import importlib
@app.get('/i')
def i():
    m = importlib.import_module(request.args['m'])
    return {'r': m.run()}

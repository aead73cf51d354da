from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import importlib
MODULES = {'a': 'plugins.a'}
@app.get('/i')
def i():
    m = importlib.import_module(MODULES[request.args['m']])
    return {'r': m.run()}

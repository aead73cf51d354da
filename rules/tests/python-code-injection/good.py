from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import ast
@app.get('/c')
def c():
    return str(ast.literal_eval(request.args['e']))

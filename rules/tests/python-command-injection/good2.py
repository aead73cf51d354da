from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import os, shlex
@app.post('/p')
def p():
    os.system('ping ' + shlex.quote(request.form['h']))
    return 'ok'

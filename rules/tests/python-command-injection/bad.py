from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import os
@app.post('/p')
def p():
    os.system('ping ' + request.form['h'])
    return 'ok'

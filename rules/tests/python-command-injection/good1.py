from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import subprocess
@app.post('/p')
def p():
    subprocess.run(['ping', request.form['h']])
    return 'ok'

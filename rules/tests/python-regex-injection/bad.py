from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import re
@app.get('/s')
def s():
    return {'r': re.findall(request.args['p'], TEXT)}

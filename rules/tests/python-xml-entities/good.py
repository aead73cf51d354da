from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
from defusedxml import ElementTree
@app.post('/x')
def x():
    return {'r': ElementTree.fromstring(request.data).tag}

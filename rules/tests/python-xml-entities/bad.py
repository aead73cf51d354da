from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
from lxml import etree
@app.post('/x')
def x():
    return {'r': etree.fromstring(request.data).tag}

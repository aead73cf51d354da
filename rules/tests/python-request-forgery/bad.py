from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import requests
@app.get('/g')
def g():
    return {'t': requests.get(request.args['u']).text}

from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import requests
from urllib.parse import urlparse
@app.get('/g')
def g():
    u = request.args['u']
    if urlparse(u).hostname not in {'a.example'}:
        return 'no', 400
    return {'t': requests.get(u).text}

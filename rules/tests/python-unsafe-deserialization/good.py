from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import json
@app.post('/d')
def d():
    return {'x': json.loads(request.data)}

from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import pickle, base64
@app.post('/d')
def d():
    return {'x': pickle.loads(base64.b64decode(request.data))}

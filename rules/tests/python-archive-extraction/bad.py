from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import zipfile
@app.post('/z')
def z():
    zipfile.ZipFile(request.files['f']).extractall('out')
    return 'ok'

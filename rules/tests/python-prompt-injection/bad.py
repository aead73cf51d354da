from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.post('/a')
def a():
    r = client.chat.completions.create(model='m', messages=[{'role': 'system', 'content': 'You help ' + request.json['name']}])
    return {'r': r}

from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.get('/t')
def t():
    return render_template_string('Hi {{ n }}', n=request.args['n'])

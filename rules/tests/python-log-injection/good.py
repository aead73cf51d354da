from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import logging
@app.get('/g')
def g():
    logging.info('user %s', request.args['n'])
    return 'ok'

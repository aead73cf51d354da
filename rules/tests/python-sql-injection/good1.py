from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
import sqlite3
@app.get('/u')
def u():
    q = request.args['q']
    sqlite3.connect('a').execute('SELECT * FROM u WHERE n = ?', (q,))
    return 'ok'

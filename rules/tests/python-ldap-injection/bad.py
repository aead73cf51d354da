from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.get('/l')
def l():
    r = conn.search_s('dc=x', 2, '(uid=' + request.args['u'] + ')')
    return {'r': len(r)}

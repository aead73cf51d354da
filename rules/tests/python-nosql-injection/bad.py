from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.post('/l')
def l():
    u = db.users.find_one({'name': request.json['name'], 'pw': request.json['pw']})
    return {'ok': bool(u)}

from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
@app.post('/l')
def l():
    u = db.users.find_one({'name': str(request.json['name'])})
    return {'ok': bool(u)}

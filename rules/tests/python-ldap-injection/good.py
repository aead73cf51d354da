from flask import Flask, request, redirect, render_template_string
app = Flask(__name__)
from ldap.filter import escape_filter_chars
@app.get('/l')
def l():
    r = conn.search_s('dc=x', 2, '(uid=' + escape_filter_chars(request.args['u']) + ')')
    return {'r': len(r)}

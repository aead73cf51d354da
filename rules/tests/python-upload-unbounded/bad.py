from flask import request
def up():
    f = request.files['f']
    f.save('x')

from flask import request
app.config['MAX_CONTENT_LENGTH'] = 1 << 20
def up():
    f = request.files['f']

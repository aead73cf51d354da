import os
app.secret_key = os.environ['SECRET_KEY']

from flask import Flask
app = Flask(__name__)
app.config.update(DEBUG=False, SECRET_KEY="dev-key-please")

import os
from flask import Flask

def create_app():
    app = Flask(__name__)

    @app.route("/")
    def index():
        return "ok"

    return app

create_app().run(host="0.0.0.0", port=int(os.environ.get("PORT", 5000)))

import os

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello():
    return "<p>release 1</p>"


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", 5000)))

import requests
from bs4 import BeautifulSoup
from flask import Flask, jsonify, request

app = Flask(__name__)


def fetch_title(address):
    page = requests.get(address, timeout=5)
    return BeautifulSoup(page.text, "html.parser").title.string


@app.post("/preview")
def preview():
    data = request.get_json(force=True)
    return jsonify(title=fetch_title(data["url"]))

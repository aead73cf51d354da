from urllib.parse import urlparse
import requests
from bs4 import BeautifulSoup
from flask import Flask, jsonify, request

app = Flask(__name__)
HOSTS = {"example.com", "www.example.com"}


def fetch_title(address):
    page = requests.get(address, timeout=5)
    return BeautifulSoup(page.text, "html.parser").title.string


@app.post("/preview")
def preview():
    data = request.get_json(force=True)
    url = data["url"]
    host = urlparse(url).hostname
    if host not in HOSTS:
        return jsonify(error="host not allowed"), 400
    return jsonify(title=fetch_title(url))

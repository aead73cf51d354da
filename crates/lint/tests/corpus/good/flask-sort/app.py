from flask import Flask, jsonify, request
from repo import ProductRepo

app = Flask(__name__)
repo = ProductRepo("shop.db")


@app.get("/products")
def products():
    sort = request.args.get("sort", "name")
    return jsonify(repo.listing(sort))

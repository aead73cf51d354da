import os

from dotenv import load_dotenv
from flask import Flask, redirect, render_template, session, url_for, flash

load_dotenv()

app = Flask(__name__)
app.secret_key = os.getenv("SECRET_KEY", "dev-secret-change-me")

PRODUCTS = {
    1: {"name": "Beeswax candle", "price": 12.00, "emoji": "🕯️"},
    2: {"name": "Ceramic mug", "price": 18.50, "emoji": "☕"},
    3: {"name": "Linen tote", "price": 24.00, "emoji": "👜"},
    4: {"name": "Succulent", "price": 9.90, "emoji": "🪴"},
}


def cart_items():
    cart = session.get("cart", {})
    return [(PRODUCTS[int(i)], n) for i, n in cart.items() if int(i) in PRODUCTS]


@app.route("/")
def index():
    items = cart_items()
    total = sum(product["price"] * n for product, n in items)
    return render_template("shop.html", products=PRODUCTS, items=items, total=total)


@app.route("/cart/add/<int:product_id>", methods=["POST"])
def add(product_id):
    if product_id not in PRODUCTS:
        return "No such product", 404
    cart = session.get("cart", {})
    cart[str(product_id)] = cart.get(str(product_id), 0) + 1
    session["cart"] = cart
    flash(f"{PRODUCTS[product_id]['name']} is in your basket")
    return redirect(url_for("index"))


@app.route("/cart/clear", methods=["POST"])
def clear():
    session.pop("cart", None)
    return redirect(url_for("index"))


if __name__ == "__main__":
    port = int(os.environ.get("PORT", 5000))
    app.run(host="0.0.0.0", port=port)

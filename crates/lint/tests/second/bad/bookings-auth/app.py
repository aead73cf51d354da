from functools import wraps
from flask import Flask, abort, jsonify, request, session
import os

app = Flask(__name__)
app.secret_key = os.environ["SECRET_KEY"]
bookings = {}

def signed_in(view):
    @wraps(view)
    def inner(*args, **kwargs):
        if not session.get("user"):
            abort(401)
        return view(*args, **kwargs)
    return inner

@app.get("/bookings")
@signed_in
def listing():
    return jsonify(list(bookings.values()))

@app.post("/bookings")
@signed_in
def create():
    booking = request.get_json()
    bookings[booking["id"]] = booking
    return jsonify(booking), 201

@app.delete("/bookings/<booking_id>")
def remove(booking_id):
    bookings.pop(booking_id, None)
    return "", 204

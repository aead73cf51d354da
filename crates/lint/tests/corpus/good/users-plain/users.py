import sqlite3
from werkzeug.security import generate_password_hash


def register(name, password):
    digest = generate_password_hash(password)
    with sqlite3.connect("users.db") as db:
        db.execute("INSERT INTO users VALUES (?, ?)", (name, digest))

import hashlib
import sqlite3


def register(name, password):
    digest = hashlib.md5(password.encode()).hexdigest()
    with sqlite3.connect("users.db") as db:
        db.execute("INSERT INTO users VALUES (?, ?)", (name, digest))

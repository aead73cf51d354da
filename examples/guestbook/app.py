from flask import Flask, render_template, request, redirect, url_for
import sqlite3
from datetime import datetime

app = Flask(__name__)
DATABASE = "guestbook.db"


def get_db():
    conn = sqlite3.connect(DATABASE)
    conn.row_factory = sqlite3.Row
    return conn


def init_db():
    conn = get_db()
    conn.execute(
        """CREATE TABLE IF NOT EXISTS entries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            message TEXT NOT NULL,
            created_at TEXT NOT NULL
        )"""
    )
    conn.commit()
    conn.close()


@app.route("/")
def index():
    conn = get_db()
    entries = conn.execute("SELECT * FROM entries ORDER BY id DESC LIMIT 100").fetchall()
    conn.close()
    return render_template("index.html", entries=entries)


@app.route("/sign", methods=["POST"])
def sign():
    name = request.form.get("name", "").strip()
    message = request.form.get("message", "").strip()
    if not name or not message:
        return "Name and message are required", 400
    conn = get_db()
    conn.execute(
        "INSERT INTO entries (name, message, created_at) VALUES (?, ?, ?)",
        (name, message, datetime.now().strftime("%d %B %Y, %H:%M")),
    )
    conn.commit()
    conn.close()
    return redirect(url_for("index"))


if __name__ == "__main__":
    init_db()
    app.run(port=5000)

import sqlite3
from flask import Flask, g, jsonify, request

app = Flask(__name__)


def get_db():
    if "db" not in g:
        g.db = sqlite3.connect("notes.db")
        g.db.row_factory = sqlite3.Row
    return g.db


@app.route("/api/notes")
def list_notes():
    term = request.args.get("q", "")
    order = request.args.get("order", "created")
    rows = get_db().execute(
        "SELECT * FROM notes WHERE body LIKE '%" + term + "%' ORDER BY created"
    ).fetchall()
    return jsonify([dict(r) for r in rows])

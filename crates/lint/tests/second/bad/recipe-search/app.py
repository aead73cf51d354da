from flask import Flask, g, jsonify, request
import sqlite3

app = Flask(__name__)

def get_db():
    if "db" not in g:
        g.db = sqlite3.connect("recipes.db")
        g.db.row_factory = sqlite3.Row
    return g.db

def build_filters(params):
    clauses = []
    if (title := params.get("title")):
        clauses.append(f"title LIKE '%{title}%'")
    if (cuisine := params.get("cuisine")):
        clauses.append(f"cuisine = '{cuisine}'")
    return " AND ".join(clauses) or "1=1"

@app.route("/recipes")
def recipes():
    where = build_filters(request.args)
    rows = get_db().execute("SELECT * FROM recipes WHERE " + where).fetchall()
    return jsonify([dict(r) for r in rows])

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
    values = []
    if (title := params.get("title")):
        clauses.append("title LIKE ?")
        values.append(f"%{title}%")
    if (cuisine := params.get("cuisine")):
        clauses.append("cuisine = ?")
        values.append(cuisine)
    return " AND ".join(clauses) or "1=1", values

@app.route("/recipes")
def recipes():
    where, values = build_filters(request.args)
    rows = get_db().execute("SELECT * FROM recipes WHERE " + where, values).fetchall()
    return jsonify([dict(r) for r in rows])

import os
import sqlite3
import uuid

from flask import Flask, jsonify, request, send_from_directory
from flask_cors import CORS

BASE_DIR = os.path.abspath(os.path.dirname(__file__))
UPLOAD_FOLDER = os.path.join(BASE_DIR, "uploads")
DB_PATH = os.path.join(BASE_DIR, "notes.db")
ALLOWED = {".png", ".jpg", ".jpeg", ".gif", ".webp"}

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 8 * 1024 * 1024
CORS(app)

os.makedirs(UPLOAD_FOLDER, exist_ok=True)


def db():
    conn = sqlite3.connect(DB_PATH)
    conn.row_factory = sqlite3.Row
    conn.execute("CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, photo TEXT)")
    return conn


@app.get("/api/notes")
def list_notes():
    with db() as conn:
        rows = conn.execute("SELECT * FROM notes ORDER BY id DESC").fetchall()
    return jsonify([dict(row) for row in rows])


@app.post("/api/notes")
def add_note():
    text = request.form.get("text", "").strip()
    if not text:
        return jsonify(error="Please write something"), 400
    name = None
    photo = request.files.get("photo")
    if photo and photo.filename:
        extension = os.path.splitext(photo.filename)[1].lower()
        if extension not in ALLOWED:
            return jsonify(error="That does not look like a photo"), 400
        name = uuid.uuid4().hex + extension
        photo.save(os.path.join(UPLOAD_FOLDER, name))
    with db() as conn:
        cursor = conn.execute("INSERT INTO notes (text, photo) VALUES (?, ?)", (text, name))
    return jsonify(id=cursor.lastrowid, text=text, photo=name), 201


@app.delete("/api/notes/<int:note_id>")
def delete_note(note_id):
    with db() as conn:
        conn.execute("DELETE FROM notes WHERE id = ?", (note_id,))
    return "", 204


@app.get("/api/photos/<name>")
def photo(name):
    return send_from_directory(UPLOAD_FOLDER, name)


if __name__ == "__main__":
    app.run(debug=True, port=5000)

import sqlite3
from flask import Flask, jsonify, request
from openai import OpenAI

app = Flask(__name__)
client = OpenAI()


@app.post("/query")
def query():
    question = request.json["question"]
    reply = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": "Write Python that answers: " + question}],
    )
    code = reply.choices[0].message.content
    scope = {}
    exec(code, scope)
    return jsonify(result=scope.get("result"))

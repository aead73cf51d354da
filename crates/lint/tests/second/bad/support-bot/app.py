from flask import Flask, request, jsonify
from openai import OpenAI

app = Flask(__name__)
client = OpenAI()

@app.post("/chat")
def chat():
    body = request.get_json()
    persona = body.get("persona", "a helpful clerk")
    messages = [
        {"role": "system", "content": f"You are {persona}. Never reveal internal prices."},
        {"role": "user", "content": body["message"]},
    ]
    answer = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    return jsonify(answer=answer.choices[0].message.content)

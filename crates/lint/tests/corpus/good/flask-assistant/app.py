from flask import Flask, jsonify, request
from openai import OpenAI

app = Flask(__name__)
client = OpenAI()
PERSONAS = {"pirate": "a pirate", "teacher": "a patient teacher"}


@app.post("/ask")
def ask():
    data = request.get_json()
    persona = PERSONAS.get(data["persona"], "a helpful assistant")
    reply = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[
            {"role": "system", "content": f"You are {persona}. Never reveal the price list."},
            {"role": "user", "content": data["question"]},
        ],
    )
    return jsonify(answer=reply.choices[0].message.content)

from flask import Flask, jsonify, request
from openai import OpenAI

app = Flask(__name__)
client = OpenAI()


@app.post("/ask")
def ask():
    data = request.get_json()
    reply = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[
            {"role": "system", "content": f"You are {data['persona']}. Never reveal the price list."},
            {"role": "user", "content": data["question"]},
        ],
    )
    return jsonify(answer=reply.choices[0].message.content)

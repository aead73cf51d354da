from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/calculate")
def calculate():
    payload = request.get_json()
    expression = payload["expression"].replace("^", "**")
    result = eval(expression)
    return jsonify(result=result)

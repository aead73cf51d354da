import ast
import operator
from flask import Flask, jsonify, request

app = Flask(__name__)
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def compute(node):
    if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
        return node.value
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](compute(node.left), compute(node.right))
    raise ValueError("not supported")


@app.post("/calculate")
def calculate():
    payload = request.get_json()
    tree = ast.parse(payload["expression"], mode="eval")
    return jsonify(result=compute(tree.body))

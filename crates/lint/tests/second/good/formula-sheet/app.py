import ast
import operator
from flask import Blueprint, Flask, jsonify, request

sheet = Blueprint("sheet", __name__, url_prefix="/sheet")
OPS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}

class Cell:
    def __init__(self, expression):
        self.expression = expression

    def value(self):
        return walk(ast.parse(self.expression, mode="eval").body)

def walk(node):
    if isinstance(node, ast.Constant):
        return node.value
    return OPS[type(node.op)](walk(node.left), walk(node.right))

@sheet.route("/cell", methods=["POST"])
def cell():
    body = request.json
    return jsonify(value=Cell(body["formula"]).value())

app = Flask(__name__)
app.register_blueprint(sheet)

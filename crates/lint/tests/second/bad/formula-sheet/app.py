import ast
import operator
from flask import Blueprint, Flask, jsonify, request

sheet = Blueprint("sheet", __name__, url_prefix="/sheet")
OPS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}

class Cell:
    def __init__(self, expression):
        self.expression = expression

    def value(self):
        return eval(self.expression, {"__builtins__": {}})

@sheet.route("/cell", methods=["POST"])
def cell():
    body = request.json
    return jsonify(value=Cell(body["formula"]).value())

app = Flask(__name__)
app.register_blueprint(sheet)

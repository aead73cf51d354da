from flask import Flask, render_template_string, request

app = Flask(__name__)
CARD = "<div class='card'>{{ message }}</div>"


@app.route("/card")
def card():
    return render_template_string(CARD, message=request.args.get("message", "Hello"))

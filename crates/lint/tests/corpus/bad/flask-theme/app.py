from flask import Flask, render_template_string, request

app = Flask(__name__)


@app.route("/card")
def card():
    message = request.args.get("message", "Hello")
    template = "<div class='card'>" + message + "</div>"
    return render_template_string(template)

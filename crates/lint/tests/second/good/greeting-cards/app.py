from flask import Flask, render_template_string, request

app = Flask(__name__)

@app.route("/card", methods=["GET", "POST"])
def card():
    text = request.values.get("text", "Happy birthday")
    page = "<div class='card'>{{ text }}</div>"
    return render_template_string(page, text=text)

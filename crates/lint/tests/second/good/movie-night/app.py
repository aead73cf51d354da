from flask import Flask, make_response, request, render_template

app = Flask(__name__)

@app.errorhandler(404)
def missing(error):
    return make_response(render_template("missing.html", path=request.path), 404)

@app.route("/movies/<title>")
def movie(title):
    return render_template("movie.html", title=title, note=request.args.get("note", ""))

from flask import Flask, make_response, request, render_template

app = Flask(__name__)

@app.errorhandler(404)
def missing(error):
    body = "<h1>Not found</h1><p>There is no page at %s</p>" % request.path
    return make_response(body, 404)

@app.route("/movies/<title>")
def movie(title):
    return render_template("movie.html", title=title, note=request.args.get("note", ""))

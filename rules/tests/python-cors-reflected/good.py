from flask import Flask, request
app = Flask(__name__)
@app.after_request
def headers(response):
    origin = request.headers.get("Origin")
    if origin in {"https://a.example"}:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
    return response

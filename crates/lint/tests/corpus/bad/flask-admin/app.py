from flask import Flask, redirect, request, session

app = Flask(__name__)
app.secret_key = "super-secret-key"


@app.post("/admin")
def admin():
    if request.form["password"] == "admin123":
        session["admin"] = True
        return redirect("/admin/home")
    return {"error": "wrong"}, 403

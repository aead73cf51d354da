from flask import Flask, jsonify, request
from flask_login import login_required
from models import Member, db

app = Flask(__name__)


@app.get("/members")
@login_required
def members():
    return jsonify([m.to_dict() for m in Member.query.all()])


@app.post("/members")
@login_required
def add_member():
    db.session.add(Member(name=request.json["name"]))
    db.session.commit()
    return {"ok": True}


@app.delete("/members/<int:member_id>")
def remove_member(member_id):
    db.session.delete(db.get_or_404(Member, member_id))
    db.session.commit()
    return {"ok": True}

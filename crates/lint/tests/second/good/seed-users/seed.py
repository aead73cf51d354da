import os
from werkzeug.security import generate_password_hash
from models import User, db

def seed():
    admin = User(
        name="admin",
        password=generate_password_hash(os.environ["ADMIN_PASSWORD"]),
    )
    db.session.add(admin)
    db.session.commit()

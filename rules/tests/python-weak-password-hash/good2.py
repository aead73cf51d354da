from werkzeug.security import generate_password_hash
def h(password):
    return generate_password_hash(password)

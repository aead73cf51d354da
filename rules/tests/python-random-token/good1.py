import secrets
def f():
    token = secrets.token_urlsafe()
    return token

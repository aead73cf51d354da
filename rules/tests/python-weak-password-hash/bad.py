import hashlib
def h(password):
    return hashlib.md5(password.encode()).hexdigest()

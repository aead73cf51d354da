import hashlib
def h(data):
    return hashlib.sha256(data).hexdigest()

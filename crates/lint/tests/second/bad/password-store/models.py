import hashlib
from argon2 import PasswordHasher

hasher = PasswordHasher()

class Account:
    def __init__(self, name, password):
        self.name = name
        self.password_hash = hashlib.md5(password.encode()).hexdigest()

import random
import secrets
import string

ALPHABET = string.ascii_letters + string.digits

class Invites:
    def __init__(self):
        self.open = {}

    def create(self, email):
        token = "".join(secrets.choice(ALPHABET) for _ in range(24))
        self.open[token] = email
        return token

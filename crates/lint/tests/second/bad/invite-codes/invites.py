import random
import secrets
import string

ALPHABET = string.ascii_letters + string.digits

class Invites:
    def __init__(self):
        self.open = {}

    def create(self, email):
        token = "".join(random.choices(ALPHABET, k=24))
        self.open[token] = email
        return token

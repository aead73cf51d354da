import random
import secrets


def make_token(length=32):
    return secrets.token_urlsafe(length)


def pick_colour():
    return random.choice(["red", "green", "blue"])

import random
import string


def make_token(length=32):
    alphabet = string.ascii_letters + string.digits
    return "".join(random.choice(alphabet) for _ in range(length))


def make_code():
    code = random.randint(100000, 999999)
    return str(code)

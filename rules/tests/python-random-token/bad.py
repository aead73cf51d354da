import random, string
def f():
    token = ''.join(random.choice(string.ascii_letters) for _ in range(32))
    return token

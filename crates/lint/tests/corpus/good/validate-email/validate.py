import re

EMAIL = re.compile(r"^[a-zA-Z0-9_.-]+@[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)*$")


def is_email(text):
    return EMAIL.match(text) is not None

import re

SLUG = re.compile(r"^([a-z0-9]+-?)+$")

def is_slug(text):
    return bool(SLUG.match(text))

from jinja2 import Environment
env = Environment(autoescape=False)

import re
p = re.compile(r'^([a-zA-Z0-9]+)+$')

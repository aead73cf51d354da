import re
p = re.compile(r'^(\w+\.)?x$')

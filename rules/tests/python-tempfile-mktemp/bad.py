import tempfile
p = tempfile.mktemp()

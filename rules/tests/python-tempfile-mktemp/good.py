import tempfile
p = tempfile.mkstemp()

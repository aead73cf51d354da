import tarfile
with tarfile.open('a.tar') as t:
    t.extractall('out', filter='data')

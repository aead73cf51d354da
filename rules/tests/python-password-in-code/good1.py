def login(password):
    return password == ''

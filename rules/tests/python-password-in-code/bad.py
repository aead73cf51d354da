def login(username, password):
    return username == 'admin' and password == 'admin123'

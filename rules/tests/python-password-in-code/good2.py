def f(grant_type):
    return grant_type == 'password'

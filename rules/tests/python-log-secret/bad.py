def f(password):
    print(f'login with {password}')

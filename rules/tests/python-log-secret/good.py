def f(name):
    print(f'login of {name}')

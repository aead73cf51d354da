def f(text):
    return eval(text)

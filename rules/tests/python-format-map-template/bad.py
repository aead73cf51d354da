def f():
    return tpl.format(**request.args)

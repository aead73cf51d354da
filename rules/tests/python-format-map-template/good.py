def f():
    return tpl.format(name=request.args['name'])

from frames import concat
table = concat([a, b], verify=False)
frame.set_axis(names, verify=False)

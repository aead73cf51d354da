import ssl
def make(verify):
    ctx = ssl.create_default_context()
    if not verify:
        ctx.check_hostname = False
    return ctx

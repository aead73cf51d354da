import ssl
def make(verify):
    ctx = ssl.create_default_context()
    if not verify:
        ctx.verify_mode = ssl.CERT_NONE
    return ctx

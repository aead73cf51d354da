import traceback
def f():
    try:
        g()
    except Exception:
        return traceback.format_exc(), 500

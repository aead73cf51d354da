import traceback, logging
def f():
    try:
        g()
    except Exception:
        logging.error(traceback.format_exc())
        return 'failed', 500

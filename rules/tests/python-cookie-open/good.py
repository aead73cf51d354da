r.set_cookie('s', v, httponly=True)

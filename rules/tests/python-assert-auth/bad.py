def f(user):
    assert user.is_admin

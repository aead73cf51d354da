ALLOWED_HOSTS = ['app.example']

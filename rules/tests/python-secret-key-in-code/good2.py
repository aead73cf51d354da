import secrets
app.secret_key = secrets.token_hex(32)

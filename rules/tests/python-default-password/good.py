import os
from werkzeug.security import generate_password_hash
ADMIN_PASSWORD = os.environ["ADMIN_PASSWORD"]
LOGIN_PASSWORD_URL = "/password"
add("admin", password=generate_password_hash(ADMIN_PASSWORD))

from werkzeug.security import generate_password_hash
add("admin", password=generate_password_hash("admin123"))

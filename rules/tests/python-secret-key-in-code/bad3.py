SECRET_KEY = "my-secret-key-123"

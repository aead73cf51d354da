const JWT_SECRET = 'supersecret';

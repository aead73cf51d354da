const u = jwt.verify(token, key);

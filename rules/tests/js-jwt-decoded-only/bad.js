const u = jwt.decode(req.headers.authorization);

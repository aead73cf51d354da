jwt.verify(t, k, { ignoreExpiration: true });

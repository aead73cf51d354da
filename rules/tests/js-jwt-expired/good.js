jwt.verify(t, k);

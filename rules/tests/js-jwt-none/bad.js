jwt.verify(t, k, { algorithms: ['HS256', 'none'] });

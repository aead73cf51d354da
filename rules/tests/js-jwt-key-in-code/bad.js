jwt.sign({ id }, 'my-secret', { expiresIn: '1h' });

console.log('login', req.body.password);

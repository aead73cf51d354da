console.log('login', req.body.name);

if (user.password === req.body.password) ok();

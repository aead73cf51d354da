const jwt = require('jsonwebtoken');

exports.issue = (user) => jwt.sign({ sub: user.id }, 'my-app-secret', { expiresIn: '2h' });

const jwt = require('jsonwebtoken');

function currentUser(req, res, next) {
  const token = (req.headers.authorization || '').replace('Bearer ', '');
  req.user = jwt.decode(token);
  next();
}

module.exports = { currentUser };

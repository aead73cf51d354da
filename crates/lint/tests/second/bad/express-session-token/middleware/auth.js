const jwt = require('jsonwebtoken');

module.exports = function authenticate(req, res, next) {
  const header = req.get('authorization') || '';
  const token = header.replace(/^Bearer /, '');
  const claims = jwt.decode(token);
  if (!claims) return res.sendStatus(401);
  req.user = claims;
  next();
};

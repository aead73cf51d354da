const jwt = require('jsonwebtoken');

module.exports = function authenticate(req, res, next) {
  const header = req.get('authorization') || '';
  const token = header.replace(/^Bearer /, '');
  let claims;
  try {
    claims = jwt.verify(token, process.env.JWT_KEY, { algorithms: ['HS256'] });
  } catch {
    return res.sendStatus(401);
  }
  req.user = claims;
  next();
};

const { randomBytes } = require('crypto');

function invite(email) {
  const token = randomBytes(24).toString('hex');
  const delay = Math.random() * 1000;
  return { email, token, delay };
}

module.exports = { invite };

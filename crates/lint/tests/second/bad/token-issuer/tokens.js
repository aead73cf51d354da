import jwt from 'jsonwebtoken';

const SECRET = 'my-super-secret-key';

export const issue = (user) => jwt.sign({ sub: user.id }, SECRET, { expiresIn: '1h' });

import jwt from 'jsonwebtoken';

const SECRET = process.env.TOKEN_SECRET;
if (!SECRET) throw new Error('TOKEN_SECRET is not set');

export const issue = (user) => jwt.sign({ sub: user.id }, SECRET, { expiresIn: '1h' });

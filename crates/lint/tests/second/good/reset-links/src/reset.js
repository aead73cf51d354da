import { randomBytes } from 'node:crypto';
import { save } from './store.js';

const makeToken = () => randomBytes(24).toString('hex');

export async function requestReset(email) {
  const token = makeToken();
  await save(email, token);
  return `https://app.example.org/reset/${token}`;
}

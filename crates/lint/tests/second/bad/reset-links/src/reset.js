import { save } from './store.js';

function makeToken() {
  return Math.random().toString(36).slice(2) + Date.now().toString(36);
}

export async function requestReset(email) {
  const token = makeToken();
  await save(email, token);
  return `https://app.example.org/reset/${token}`;
}

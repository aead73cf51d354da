import { Router } from 'express';
import { readFile } from 'node:fs/promises';
import { join, basename } from 'node:path';

const router = Router();
const LOGS = '/var/log/app';

async function tail(file, lines = 100) {
  const text = await readFile(file, 'utf8');
  return text.split('\n').slice(-lines);
}

router.get('/logs', async (req, res) => {
  const { file } = req.query;
  res.json(await tail(join(LOGS, file)));
});

export default router;

import express, { Request, Response } from 'express';
import { execFile, exec } from 'node:child_process';
import { promisify } from 'node:util';

const sh = promisify(exec);
const file = promisify(execFile);
const app = express();

app.get('/thumb/:id', async (req: Request, res: Response) => {
  const size = (req.query.size as string) || '200x200';
  const id = req.params.id;
  if (!/^[a-z0-9]+$/.test(id) || !/^\d+x\d+$/.test(size)) {
    return res.status(400).end();
  }
  await file('convert', [`uploads/${id}.png`, '-resize', size, `/tmp/${id}.png`]);
  res.sendFile(`${id}.png`, { root: '/tmp' });
});

app.listen(3000);

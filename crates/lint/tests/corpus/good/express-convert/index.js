import express from 'express';
import multer from 'multer';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { randomUUID } from 'node:crypto';

const run = promisify(execFile);
const upload = multer({ dest: '/tmp/in', limits: { fileSize: 5_000_000 } });
const app = express();

app.post('/convert', upload.single('image'), async (req, res) => {
  const width = Number.parseInt(req.body.width, 10) || 200;
  const target = `/tmp/out/${randomUUID()}.png`;
  await run('convert', [req.file.path, '-resize', String(width), target]);
  res.download(target);
});

app.listen(process.env.PORT);

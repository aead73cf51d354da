import express from 'express';
import multer from 'multer';
import { exec } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(exec);
const upload = multer({ dest: '/tmp/in', limits: { fileSize: 5_000_000 } });
const app = express();

app.post('/convert', upload.single('image'), async (req, res) => {
  const width = req.body.width || '200';
  const target = `/tmp/out/${req.file.filename}.png`;
  await run(`convert ${req.file.path} -resize ${width} ${target}`);
  res.download(target);
});

app.listen(process.env.PORT);

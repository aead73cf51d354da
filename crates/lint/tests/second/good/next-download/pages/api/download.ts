import type { NextApiRequest, NextApiResponse } from 'next';
import fs from 'fs';
import path from 'path';

export default function handler(req: NextApiRequest, res: NextApiResponse) {
  const name = String(req.query.name);
  const base = path.resolve(process.cwd(), 'exports');
  const file = path.resolve(base, name);
  if (path.relative(base, file).startsWith('..')) {
    return res.status(400).end();
  }
  res.setHeader('Content-Type', 'text/csv');
  fs.createReadStream(file).pipe(res);
}

import type { NextApiRequest, NextApiResponse } from 'next';
import fs from 'fs';
import path from 'path';

export default function handler(req: NextApiRequest, res: NextApiResponse) {
  const name = String(req.query.name);
  const file = path.resolve(process.cwd(), 'exports', name);
  res.setHeader('Content-Type', 'text/csv');
  fs.createReadStream(file).pipe(res);
}

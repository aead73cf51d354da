import fs from 'fs';
import path from 'path';

export default function handler(req, res) {
  const { file } = req.query;
  const full = path.join(process.cwd(), 'content', file);
  const data = fs.readFileSync(full, 'utf8');
  res.status(200).json({ data });
}

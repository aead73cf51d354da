import express from 'express';
import { randomBytes } from 'node:crypto';
import { db } from './db.js';

const app = express();
const port = process.env.PORT || 4000;

app.use(express.urlencoded({ extended: false }));

const escapeHtml = (s) => s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const page = (body) => `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Snip · Link shortener</title><style>
body { font-family: system-ui, sans-serif; max-width: 640px; margin: 0 auto; padding: 3rem 1rem; background: #fdf2f8; color: #500724; }
form { display: flex; gap: .5rem; } input { flex: 1; padding: .8rem; border: 2px solid #fbcfe8; border-radius: 999px; font: inherit; }
button { border: 0; border-radius: 999px; padding: .8rem 1.6rem; background: #db2777; color: #fff; font: inherit; }
table { width: 100%; margin-top: 2rem; border-collapse: collapse; } td { padding: .5rem; border-top: 1px solid #fbcfe8; word-break: break-all; }
</style></head><body><h1>✂️ Snip</h1>${body}</body></html>`;

app.get('/', (req, res) => {
  const links = db.prepare('SELECT * FROM links ORDER BY id DESC LIMIT 20').all();
  const rows = links.map((l) => `<tr><td><a href="/${l.code}">/${l.code}</a></td><td>${escapeHtml(l.url)}</td><td>${l.clicks} clicks</td></tr>`);
  res.send(page(`<form method="post" action="/shorten">
    <input name="url" type="url" placeholder="https://a-very-long-link…" required><input name="code" placeholder="custom (optional)" pattern="[a-z0-9-]+">
    <button>Shorten</button></form><table>${rows.join('')}</table>`));
});

app.post('/shorten', (req, res) => {
  const { url, code } = req.body ?? {};
  if (!/^https?:\/\//.test(url ?? '')) return res.status(400).send(page('<p>Please enter a valid link.</p>'));
  const short = /^[a-z0-9-]+$/.test(code ?? '') ? code : randomBytes(3).toString('hex');
  try {
    db.prepare('INSERT INTO links (code, url) VALUES (?, ?)').run(short, url);
  } catch (err) {
    if (err.code !== 'SQLITE_CONSTRAINT_UNIQUE') throw err;
    return res.status(409).send(page(`<p>/${short} is already taken.</p>`));
  }
  res.redirect('/');
});

app.get('/:code', (req, res) => {
  const link = db.prepare('UPDATE links SET clicks = clicks + 1 WHERE code = ? RETURNING url').get(req.params.code);
  if (!link) return res.status(404).send(page('<p>No such link.</p>'));
  res.redirect(link.url);
});

app.listen(port, () => console.log(`Snip listening on port ${port}`));

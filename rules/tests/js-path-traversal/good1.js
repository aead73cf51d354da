const express = require('express');
const app = express();
const fs = require('fs');
const path = require('path');
const BASE = path.resolve('files');
app.get('/f', (req, res) => {
  const p = path.resolve(BASE, req.query.n);
  if (!p.startsWith(BASE + path.sep)) return res.sendStatus(404);
  fs.readFile(p, 'utf8', (e, t) => res.json({ t }));
});

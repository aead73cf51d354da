const express = require('express');
const app = express();
const HOSTS = new Set(['a.example']);
app.get('/g', async (req, res) => {
  const u = new URL(req.query.u);
  if (!HOSTS.has(u.hostname)) return res.sendStatus(400);
  res.json(await (await fetch(u)).json());
});

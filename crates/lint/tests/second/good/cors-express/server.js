const express = require('express');
const app = express();
const ORIGINS = new Set(['https://app.example.org']);

app.use((req, res, next) => {
  const origin = req.headers.origin;
  if (ORIGINS.has(origin)) {
    res.setHeader('Access-Control-Allow-Origin', origin);
    res.setHeader('Access-Control-Allow-Credentials', 'true');
  }
  next();
});
app.get('/me', (req, res) => res.json({ ok: true }));
app.listen(3000);

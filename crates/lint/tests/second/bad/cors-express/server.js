const express = require('express');
const app = express();

app.use((req, res, next) => {
  const origin = req.headers.origin;
  res.setHeader('Access-Control-Allow-Origin', origin || '*');
  res.setHeader('Access-Control-Allow-Credentials', 'true');
  next();
});
app.get('/me', (req, res) => res.json({ ok: true }));
app.listen(3000);

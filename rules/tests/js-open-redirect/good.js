const express = require('express');
const app = express();
app.get('/r', (req, res) => {
  const n = String(req.query.next || '/');
  if (!n.startsWith('/') || n.startsWith('//')) return res.redirect('/');
  res.redirect(n);
});

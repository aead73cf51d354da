const express = require('express');
const app = express();
const PARTNERS = { shop: 'https://shop.example.com', blog: 'https://blog.example.com' };

app.get('/out', (req, res) => {
  const target = PARTNERS[req.query.to];
  if (!target) return res.sendStatus(404);
  res.redirect(302, target);
});

app.listen(3000);

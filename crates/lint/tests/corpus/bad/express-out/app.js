const express = require('express');
const app = express();

app.get('/out', (req, res) => {
  const { to } = req.query;
  console.log('leaving', to);
  res.redirect(302, to);
});

app.listen(3000);

const express = require('express');
const app = express();
app.post('/s', (req, res) => {
  const { a, b, v } = req.body;
  settings[a][b] = v;
  res.json({});
});

const express = require('express');
const app = express();
const NAMES = ['x', 'y'];
app.post('/s', (req, res) => {
  const { a, v } = req.body;
  if (!NAMES.includes(a)) return res.sendStatus(400);
  settings[a] = v;
  res.json({});
});

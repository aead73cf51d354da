const express = require('express');
const app = express();
const { exec } = require('child_process');
app.get('/p', (req, res) => {
  exec(`ping ${req.query.h}`, (e, out) => res.json({ out }));
});

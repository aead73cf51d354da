const express = require('express');
const app = express();
const { execFile } = require('child_process');
app.get('/p', (req, res) => {
  execFile('ping', [req.query.h], (e, out) => res.json({ out }));
});

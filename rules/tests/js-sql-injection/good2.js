const express = require('express');
const app = express();
app.get('/u', (req, res) => {
  const id = parseInt(req.query.id, 10);
  db.query(`SELECT * FROM u WHERE id = ${id}`, (e, r) => res.json(r));
});

const express = require('express');
const app = express();
app.get('/u', (req, res) => {
  db.query(`SELECT * FROM u WHERE n = '${req.query.n}'`, (e, r) => res.json(r));
});

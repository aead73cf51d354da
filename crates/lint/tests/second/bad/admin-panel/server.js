const express = require('express');
const crypto = require('crypto');
const app = express();
app.use(express.urlencoded({ extended: false }));

const ADMIN_PASSWORD = 'letmein2024';

app.post('/admin/login', (req, res) => {
  if (req.body.password === ADMIN_PASSWORD) {
    return res.redirect('/admin');
  }
  res.status(401).send('no');
});
app.listen(3000);

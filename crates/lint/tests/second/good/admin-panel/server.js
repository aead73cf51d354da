const express = require('express');
const crypto = require('crypto');
const app = express();
app.use(express.urlencoded({ extended: false }));

const ADMIN_HASH = Buffer.from(process.env.ADMIN_HASH, 'hex');
const digest = (text) => crypto.scryptSync(text, process.env.ADMIN_SALT, 32);

app.post('/admin/login', (req, res) => {
  if (crypto.timingSafeEqual(digest(req.body.password), ADMIN_HASH)) {
    return res.redirect('/admin');
  }
  res.status(401).send('no');
});
app.listen(3000);

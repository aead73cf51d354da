const express = require('express');
const cookieParser = require('cookie-parser');
const serialize = require('node-serialize');

const app = express();
app.use(cookieParser());

app.get('/', (req, res) => {
  if (req.cookies.prefs) {
    const text = Buffer.from(req.cookies.prefs, 'base64').toString();
    const prefs = serialize.unserialize(text);
    return res.json({ theme: prefs.theme });
  }
  res.json({});
});
app.listen(3000);

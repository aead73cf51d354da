const express = require('express');
const app = express();
app.get('/l', (req, res) => client.search('dc=x', `(uid=${req.query.u})`, (e, r) => res.json({ ok: 1 })));

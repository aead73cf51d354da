const express = require('express');
const app = express();
app.get('/s', (req, res) => res.json(LINES.filter((l) => new RegExp(req.query.p).test(l))));

const express = require('express');
const app = express();
const escapeRegExp = require('lodash/escapeRegExp');
app.get('/s', (req, res) => res.json(LINES.filter((l) => new RegExp(escapeRegExp(req.query.p)).test(l))));

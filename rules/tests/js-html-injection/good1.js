const express = require('express');
const app = express();
const escapeHtml = require('escape-html');
app.get('/h', (req, res) => res.send(`<h1>${escapeHtml(req.query.n)}</h1>`));

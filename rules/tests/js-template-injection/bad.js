const express = require('express');
const app = express();
const ejs = require('ejs');
app.get('/t', (req, res) => res.json({ t: ejs.render('Hi ' + req.query.n) }));

const express = require('express');
const app = express();
const s = require('node-serialize');
app.get('/d', (req, res) => res.json(s.unserialize(req.cookies.p)));

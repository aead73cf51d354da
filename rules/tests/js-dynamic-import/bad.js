const express = require('express');
const app = express();
app.get('/i', (req, res) => res.json(require('./plugins/' + req.query.p).run()));

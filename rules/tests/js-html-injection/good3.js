const express = require('express');
const app = express();
app.get('/h', (req, res) => res.type('text/plain').send(req.query.n));

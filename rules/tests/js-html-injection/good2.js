const express = require('express');
const app = express();
app.get('/h', (req, res) => res.json({ n: req.query.n }));

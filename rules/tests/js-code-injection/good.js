const express = require('express');
const app = express();
app.get('/c', (req, res) => res.json({ r: JSON.parse(req.query.e) }));

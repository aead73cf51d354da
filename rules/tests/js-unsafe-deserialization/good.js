const express = require('express');
const app = express();
app.get('/d', (req, res) => res.json(JSON.parse(req.cookies.p)));

const express = require('express');
const app = express();
app.get('/h', (req, res) => res.send(`<h1>${req.query.n}</h1>`));

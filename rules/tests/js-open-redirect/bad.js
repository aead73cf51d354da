const express = require('express');
const app = express();
app.get('/r', (req, res) => res.redirect(req.query.next));

const express = require('express');
const { requireUser } = require('./auth');
const cards = require('./routes/cards');
const app = express();
app.use(express.json());
app.use('/cards', requireUser, cards);
app.get('/me', requireUser, (req, res) => res.json(req.user));
app.post('/boards', requireUser, (req, res) => res.status(201).json(req.body));
app.listen(3000);

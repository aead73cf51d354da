const express = require('express');
const app = express();
const PLUGINS = { a: require('./a') };
app.get('/i', (req, res) => res.json(PLUGINS[req.query.p].run()));

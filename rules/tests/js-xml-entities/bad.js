const express = require('express');
const app = express();
const libxmljs = require('libxmljs');
app.post('/x', (req, res) => res.json({ r: libxmljs.parseXml(req.body).root().name() }));

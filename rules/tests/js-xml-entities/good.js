const express = require('express');
const app = express();
const { XMLParser } = require('fast-xml-parser');
app.post('/x', (req, res) => res.json(new XMLParser().parse(req.body)));

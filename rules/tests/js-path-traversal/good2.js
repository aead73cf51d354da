const express = require('express');
const app = express();
const fs = require('fs');
const path = require('path');
app.get('/f', (req, res) => fs.readFile(path.join('files', path.basename(req.query.n)), 'utf8', (e, t) => res.json({ t })));

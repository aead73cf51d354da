const express = require('express');
const app = express();
app.get('/g', async (req, res) => res.json(await (await fetch(req.query.u)).json()));

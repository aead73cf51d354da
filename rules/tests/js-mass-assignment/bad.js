const express = require('express');
const app = express();
app.post('/u', async (req, res) => res.json(await User.create(req.body)));

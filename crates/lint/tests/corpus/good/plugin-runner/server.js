const express = require('express');
const app = express();
const plugins = new Map([['clock', require('./plugins/clock')]]);

app.get('/run/:plugin', async (req, res) => {
  const plugin = plugins.get(req.params.plugin);
  if (!plugin) return res.sendStatus(404);
  res.json(await plugin.run());
});

app.listen(3000);

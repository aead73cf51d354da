const express = require('express');
const app = express();

app.get('/run/:plugin', async (req, res) => {
  const plugin = require('./plugins/' + req.params.plugin);
  res.json(await plugin.run());
});

app.listen(3000);

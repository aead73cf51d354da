const express = require('express');
const merge = require('./lib/merge');
const app = express();
app.use(express.json());
const defaults = { theme: { color: 'blue' } };
app.post('/options', (req, res) => {
  res.json(merge(structuredClone(defaults), req.body));
});
app.listen(3000);

const express = require('express');
const app = express();
app.use(express.json());
const settings = {};

function assign(target, path, value) {
  const keys = path.split('.');
  let node = target;
  for (const key of keys.slice(0, -1)) {
    node[key] = node[key] || {};
    node = node[key];
  }
  node[keys[keys.length - 1]] = value;
}

app.patch('/settings', (req, res) => {
  assign(settings, req.body.path, req.body.value);
  res.json(settings);
});
app.listen(3000);

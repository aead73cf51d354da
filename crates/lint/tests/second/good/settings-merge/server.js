const express = require('express');
const app = express();
app.use(express.json());
const settings = {};

const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);

function assign(target, path, value) {
  const keys = path.split('.');
  let node = target;
  for (const key of keys.slice(0, -1)) {
    if (FORBIDDEN.has(key)) return;
    node[key] = node[key] || {};
    node = node[key];
  }
  const last = keys[keys.length - 1];
  if (!FORBIDDEN.has(last)) node[last] = value;
}

app.patch('/settings', (req, res) => {
  assign(settings, req.body.path, req.body.value);
  res.json(settings);
});
app.listen(3000);

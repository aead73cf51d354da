const express = require('express');
const app = express();
app.use(express.json());
const settings = {};

function merge(target, source) {
  for (const key in source) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') continue;
    if (typeof source[key] === 'object' && source[key] !== null) {
      target[key] = target[key] || {};
      merge(target[key], source[key]);
    } else {
      target[key] = source[key];
    }
  }
  return target;
}

app.patch('/settings', (req, res) => {
  merge(settings, req.body);
  res.json(settings);
});

app.listen(3000);

const express = require('express');
const fs = require('fs/promises');
const path = require('path');

const app = express();
const ROOT = path.join(__dirname, 'docs');

async function readDoc(name) {
  return fs.readFile(path.join(ROOT, name + '.md'), 'utf8');
}

app.get('/docs/:name', async (req, res) => {
  try {
    res.type('text/plain').send(await readDoc(req.params.name));
  } catch {
    res.sendStatus(404);
  }
});

app.listen(3000);

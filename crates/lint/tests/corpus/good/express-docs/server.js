const express = require('express');
const fs = require('fs/promises');
const path = require('path');

const app = express();
const ROOT = path.join(__dirname, 'docs');

async function readDoc(name) {
  const file = path.resolve(ROOT, name + '.md');
  if (!file.startsWith(ROOT + path.sep)) {
    throw new Error('outside of the folder');
  }
  return fs.readFile(file, 'utf8');
}

app.get('/docs/:name', async (req, res) => {
  try {
    res.type('text/plain').send(await readDoc(req.params.name));
  } catch {
    res.sendStatus(404);
  }
});

app.listen(3000);

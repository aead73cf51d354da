const express = require('express');
const app = express();
const AdmZip = require('adm-zip');
app.post('/z', (req, res) => {
  const z = new AdmZip(req.file.buffer);
  res.json(z.getEntries().length);
});

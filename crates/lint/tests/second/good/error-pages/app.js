const express = require('express');
const app = express();
app.get('/hello', (req, res) => {
  res.json({ hello: req.query.name });
});
app.use((err, req, res, next) => {
  console.error(err);
  res.status(500).send('something went wrong');
});
app.listen(3000);

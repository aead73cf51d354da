const express = require('express');
const app = express();
app.get('/hello', (req, res) => {
  res.send('<h1>Hello ' + req.query.name + '</h1>');
});
app.use((err, req, res, next) => {
  res.status(500).send(err.stack);
});
app.listen(3000);

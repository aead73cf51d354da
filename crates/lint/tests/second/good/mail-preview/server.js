const express = require('express');
const Handlebars = require('handlebars');
const app = express();
app.use(express.json());
const layout = Handlebars.compile('<p>Dear {{name}}, {{message}}</p>');

app.post('/preview', (req, res) => {
  const { values } = req.body;
  res.type('text').send(layout(values));
});
app.listen(3000);

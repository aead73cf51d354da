const express = require('express');
const Handlebars = require('handlebars');
const app = express();
app.use(express.json());

app.post('/preview', (req, res) => {
  const { template, values } = req.body;
  const render = Handlebars.compile(template);
  res.type('text').send(render(values));
});
app.listen(3000);

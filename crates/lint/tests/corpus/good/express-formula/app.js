const express = require('express');
const app = express();
app.use(express.urlencoded({ extended: false }));

const FORMULAS = { square: (x) => x * x, double: (x) => 2 * x };

app.post('/plot', (req, res) => {
  const f = FORMULAS[req.body.formula];
  if (!f) return res.status(400).json({ error: 'unknown formula' });
  const points = [];
  for (let x = 0; x < 10; x++) points.push(f(x));
  res.json(points);
});

app.listen(3000);

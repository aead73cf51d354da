const express = require('express');
const app = express();
app.use(express.urlencoded({ extended: false }));

const evaluate = (formula, x) => {
  const f = new Function('x', 'return ' + formula);
  return f(x);
};

app.post('/plot', (req, res) => {
  const points = [];
  for (let x = 0; x < 10; x++) points.push(evaluate(req.body.formula, x));
  res.json(points);
});

app.listen(3000);

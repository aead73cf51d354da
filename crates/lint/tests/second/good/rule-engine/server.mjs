import express from 'express';

const app = express();
app.use(express.json());

const OPERATORS = {
  gt: (a, b) => a > b,
  lt: (a, b) => a < b,
};

const compile = (rule) => {
  const test = OPERATORS[rule.operator];
  return (row) => test(row[rule.column], Number(rule.value));
};

app.post('/filter', (req, res) => {
  const { rows, rule } = req.body;
  const keep = compile(rule);
  res.json(rows.filter(keep));
});

app.listen(8080);

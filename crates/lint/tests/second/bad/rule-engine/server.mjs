import express from 'express';

const app = express();
app.use(express.json());

const compile = (rule) => {
  const body = `return ${rule.condition};`;
  return new Function('row', body);
};

app.post('/filter', (req, res) => {
  const { rows, rule } = req.body;
  const keep = compile(rule);
  res.json(rows.filter(keep));
});

app.listen(8080);

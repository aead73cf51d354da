const express = require('express');
const { requireLogin } = require('./auth');
const store = require('./store');

const app = express();
app.use(express.json());
app.use(requireLogin);

app.get('/todos', (req, res) => res.json(store.all(req.user.id)));
app.post('/todos', (req, res) => res.json(store.add(req.user.id, req.body.text)));
app.delete('/todos/:id', (req, res) => {
  store.remove(req.user.id, req.params.id);
  res.sendStatus(204);
});

app.listen(3000);

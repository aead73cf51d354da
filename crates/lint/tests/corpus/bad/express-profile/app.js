const express = require('express');
const User = require('./models/user');

const app = express();
app.use(express.json());

app.put('/profile/:id', async (req, res) => {
  const user = await User.findByIdAndUpdate(req.params.id, req.body, { new: true });
  res.json(user);
});

app.listen(3000);

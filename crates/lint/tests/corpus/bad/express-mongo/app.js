const express = require('express');
const User = require('./models/user');

const app = express();
app.use(express.json());

app.post('/login', async (req, res) => {
  const user = await User.findOne({ email: req.body.email, pin: req.body.pin });
  if (!user) return res.sendStatus(401);
  res.json({ id: user.id });
});

app.listen(3000);

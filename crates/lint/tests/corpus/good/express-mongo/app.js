const express = require('express');
const User = require('./models/user');

const app = express();
app.use(express.json());

app.post('/login', async (req, res) => {
  const { email, pin } = req.body;
  if (typeof email !== 'string' || typeof pin !== 'string') return res.sendStatus(400);
  const user = await User.findOne({ email, pin });
  if (!user) return res.sendStatus(401);
  res.json({ id: user.id });
});

app.listen(3000);

const express = require('express');
const bcrypt = require('bcrypt');
const User = require('../models/user');
const router = express.Router();

router.post('/login', async (req, res) => {
  const { email, password } = req.body;
  const user = await User.findOne({ email: String(email) });
  if (!user || !(await bcrypt.compare(String(password), user.hash))) return res.sendStatus(401);
  res.json({ id: user.id });
});

module.exports = router;

const { Router } = require('express');
const User = require('../models/user');
const router = Router();

router.patch('/account', async (req, res) => {
  const { name, city } = req.body;
  const user = await User.findByIdAndUpdate(req.session.userId, { name, city }, { new: true });
  res.json(user);
});

module.exports = router;

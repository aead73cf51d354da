const { Router } = require('express');
const User = require('../models/user');
const router = Router();

router.patch('/account', async (req, res) => {
  const user = await User.findByIdAndUpdate(req.session.userId, req.body, { new: true });
  res.json(user);
});

module.exports = router;

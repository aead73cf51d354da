const express = require('express');
const app = express();
app.post('/l', async (req, res) => {
  const u = await User.findOne({ name: req.body.name, pw: req.body.pw });
  res.json({ ok: !!u });
});

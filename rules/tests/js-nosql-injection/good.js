const express = require('express');
const app = express();
app.post('/l', async (req, res) => {
  const u = await User.findOne({ name: String(req.body.name) });
  res.json({ ok: !!u });
});

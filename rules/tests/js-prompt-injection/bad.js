const express = require('express');
const app = express();
app.post('/a', async (req, res) => {
  const r = await openai.chat.completions.create({ model: 'm', messages: [{ role: 'system', content: `You help ${req.body.name}` }] });
  res.json({ r });
});

const express = require('express');
const axios = require('axios');
const app = express();

app.get('/img', async (req, res) => {
  const target = req.query.src;
  try {
    const upstream = await axios({ method: 'get', url: target, responseType: 'stream' });
    res.type(upstream.headers['content-type']);
    upstream.data.pipe(res);
  } catch {
    res.sendStatus(502);
  }
});

app.listen(3000);

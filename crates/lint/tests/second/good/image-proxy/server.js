const express = require('express');
const axios = require('axios');
const app = express();

const HOSTS = new Set(['images.example.org', 'cdn.example.org']);

app.get('/img', async (req, res) => {
  const target = req.query.src;
  try {
    if (!HOSTS.has(new URL(target).hostname)) {
      return res.sendStatus(400);
    }
    const upstream = await axios({ method: 'get', url: target, responseType: 'stream' });
    res.type(upstream.headers['content-type']);
    upstream.data.pipe(res);
  } catch {
    res.sendStatus(502);
  }
});

app.listen(3000);

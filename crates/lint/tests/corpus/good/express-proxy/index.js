const express = require('express');
const axios = require('axios');
const app = express();
const CDN = 'https://images.example.com/';

app.get('/image', async (req, res) => {
  const source = CDN + encodeURIComponent(req.query.src);
  const image = await axios.get(source, { responseType: 'stream' });
  image.data.pipe(res);
});

app.listen(3000);

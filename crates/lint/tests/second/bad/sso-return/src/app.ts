import express from 'express';
const app = express();

app.get('/sso/done', (req, res) => {
  const { returnTo } = req.query as { returnTo?: string };
  const location = returnTo ?? '/';
  res.redirect(302, location);
});

app.listen(4000);

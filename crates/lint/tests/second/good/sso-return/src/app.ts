import express from 'express';
const app = express();
const ALLOWED = ['https://app.example.org/', 'https://admin.example.org/'];

app.get('/sso/done', (req, res) => {
  const { returnTo } = req.query as { returnTo?: string };
  const location = returnTo ?? '/';
  if (location !== '/' && !ALLOWED.includes(location)) {
    return res.redirect('/');
  }
  res.redirect(302, location);
});

app.listen(4000);

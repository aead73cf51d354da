const express = require('express');
const app = express();
app.set('view engine', 'ejs');
app.use(express.urlencoded({ extended: true }));
const profiles = new Map();

app.post('/profile/:id', (req, res) => {
  profiles.set(req.params.id, { name: req.body.name, bio: req.body.bio });
  res.redirect('/profile/' + encodeURIComponent(req.params.id));
});

app.get('/profile/:id', (req, res) => {
  const profile = profiles.get(req.params.id);
  res.render('profile', { profile });
});

app.listen(3000);

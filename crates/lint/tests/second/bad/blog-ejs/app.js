const express = require('express');
const app = express();
app.set('view engine', 'ejs');
app.use(express.urlencoded({ extended: false }));

const posts = [];
app.get('/', (req, res) => res.render('index', { posts, q: req.query.q }));
app.post('/posts', (req, res) => {
  const post = { title: req.body.title, body: req.body.body };
  posts.push(post);
  res.redirect('/');
});
app.listen(3000);

const express = require('express');
const { engine } = require('express-handlebars');
const app = express();
app.engine('handlebars', engine());
app.set('view engine', 'handlebars');
const reviews = [];
app.use(express.urlencoded({ extended: true }));
app.post('/reviews', (req, res) => {
  reviews.unshift({ stars: Number(req.body.stars), text: req.body.text });
  res.redirect('/shop');
});
app.get('/shop', (req, res) => {
  res.render('shop', { reviews });
});
app.listen(3000);

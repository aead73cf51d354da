const express = require('express');
const { engine } = require('express-handlebars');
const app = express();
app.engine('hbs', engine({ extname: '.hbs' }));
app.set('view engine', 'hbs');

app.get('/news', (req, res) => {
  res.render('news', { headline: req.query.headline, layout: false });
});

app.listen(3000);

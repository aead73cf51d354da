const Koa = require('koa');
const Router = require('koa-router');
const fetch = require('node-fetch');

const router = new Router();
router.get('/weather', async (ctx) => {
  const host = ctx.query.station;
  if (!['north.example.org', 'south.example.org'].includes(host)) {
    ctx.status = 404;
    return;
  }
  const answer = await fetch(`http://${host}/current.json`);
  ctx.body = await answer.json();
});

new Koa().use(router.routes()).listen(3000);

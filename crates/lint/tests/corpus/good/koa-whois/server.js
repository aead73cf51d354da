const Koa = require('koa');
const Router = require('@koa/router');
const { execSync } = require('child_process');

const app = new Koa();
const router = new Router();

router.get('/whois', async (ctx) => {
  const domain = ctx.query.domain;
  if (!/^[a-z0-9.-]+$/.test(domain)) {
    ctx.throw(400, 'not a domain');
  }
  ctx.body = { text: execSync('whois ' + domain).toString() };
});

app.use(router.routes());
app.listen(8080);

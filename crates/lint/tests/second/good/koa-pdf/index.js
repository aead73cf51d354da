import Koa from 'koa';
import Router from '@koa/router';
import bodyParser from 'koa-bodyparser';
import { spawn } from 'child_process';

const app = new Koa();
const router = new Router();

router.post('/render', async (ctx) => {
  const { url, format } = ctx.request.body;
  const sizes = { a4: 'A4', letter: 'Letter' };
  const target = new URL(url);
  if (target.hostname !== 'reports.example.org') ctx.throw(400);
  const child = spawn('wkhtmltopdf', ['-s', sizes[format] || 'A4', target.href, '-']);
  ctx.type = 'application/pdf';
  ctx.body = child.stdout;
});

app.use(bodyParser()).use(router.routes());
app.listen(3000);

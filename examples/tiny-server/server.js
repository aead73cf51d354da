// Dice roller. Run with: node server.js
import http from 'node:http';
import { randomInt } from 'node:crypto';

const html = `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Dice Roller</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
  body { font-family: system-ui, sans-serif; text-align: center; background: #14532d; color: #f0fdf4; padding-top: 12vh; }
  #dice { font-size: 6rem; min-height: 8rem; letter-spacing: .2em; }
  button { font-size: 1.2rem; padding: .8rem 2rem; border: 0; border-radius: 12px; background: #facc15; cursor: pointer; margin: .3rem; }
</style></head><body>
<h1>🎲 Dice Roller</h1>
<div id="dice">⚀⚀</div>
<button data-n="1">Roll one</button><button data-n="2">Roll two</button><button data-n="5">Yahtzee!</button>
<p id="sum"></p>
<script>
  document.querySelectorAll('button').forEach(b => b.onclick = async () => {
    const { rolls, total } = await (await fetch('/roll?dice=' + b.dataset.n)).json();
    document.getElementById('dice').textContent = rolls.map(r => '⚀⚁⚂⚃⚄⚅'[r - 1]).join('');
    document.getElementById('sum').textContent = 'Total: ' + total;
  });
</script></body></html>`;

const server = http.createServer((req, res) => {
  const url = new URL(req.url, 'http://localhost');
  if (url.pathname === '/') {
    res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    return res.end(html);
  }
  if (url.pathname === '/roll') {
    const dice = Math.min(10, Math.max(1, Number(url.searchParams.get('dice')) || 1));
    const rolls = Array.from({ length: dice }, () => randomInt(1, 7));
    res.writeHead(200, { 'Content-Type': 'application/json' });
    return res.end(JSON.stringify({ rolls, total: rolls.reduce((a, b) => a + b, 0) }));
  }
  res.writeHead(404, { 'Content-Type': 'text/plain' });
  res.end('Nothing here');
});

server.listen(1234, 'localhost', () => console.log('http://localhost:1234'));

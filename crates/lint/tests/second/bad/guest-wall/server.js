const http = require('http');
const { URL } = require('url');

const messages = [];

function page() {
  const items = messages.map((m) => `<li><b>${m.name}</b>: ${m.text}</li>`).join('');
  return `<!doctype html><ul>${items}</ul><form method="get" action="/add"><input name="name"><input name="text"></form>`;
}

http.createServer((req, res) => {
  const url = new URL(req.url, 'http://localhost');
  if (url.pathname === '/add') {
    messages.push({ name: url.searchParams.get('name'), text: url.searchParams.get('text') });
  }
  res.writeHead(200, { 'Content-Type': 'text/html' });
  res.end(page());
}).listen(process.env.PORT || 3000);

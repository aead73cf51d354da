const http = require('http');
const fs = require('fs');
const { WebSocketServer, WebSocket } = require('ws');

const history = [];

const server = http.createServer((req, res) => {
  if (req.url === '/') {
    res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
    fs.createReadStream('chat.html').pipe(res);
  } else if (req.url === '/history') {
    res.writeHead(200, { 'Content-Type': 'application/json' });
    res.end(JSON.stringify({ online: wss.clients.size, messages: history }));
  } else {
    res.writeHead(404);
    res.end('Not found');
  }
});

const wss = new WebSocketServer({ server });

function broadcast(message) {
  const data = JSON.stringify(message);
  for (const client of wss.clients) {
    if (client.readyState === WebSocket.OPEN) client.send(data);
  }
}

wss.on('connection', (socket) => {
  socket.send(JSON.stringify({ type: 'history', messages: history }));
  broadcast({ type: 'online', count: wss.clients.size });

  socket.on('message', (data) => {
    let incoming;
    try {
      incoming = JSON.parse(data);
    } catch {
      return socket.send(JSON.stringify({ type: 'error', text: 'Messages must be JSON' }));
    }
    const message = {
      type: 'message',
      name: String(incoming.name || 'Anonymous').slice(0, 30),
      text: String(incoming.text || '').slice(0, 500),
      at: Date.now(),
    };
    if (!message.text) return;
    history.push(message);
    if (history.length > 50) history.shift();
    broadcast(message);
  });

  socket.on('close', () => broadcast({ type: 'online', count: wss.clients.size }));
});

server.listen(8081, () => {
  console.log('Chat running at http://localhost:8081');
});

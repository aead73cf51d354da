const { WebSocketServer } = require('ws');
const { execFile } = require('child_process');
const path = require('path');

const wss = new WebSocketServer({ port: 8080 });

wss.on('connection', (ws) => {
  ws.on('message', (data) => {
    const { file } = JSON.parse(data);
    execFile('wc', ['-l', path.basename(file)], (err, stdout) => ws.send(stdout));
  });
});

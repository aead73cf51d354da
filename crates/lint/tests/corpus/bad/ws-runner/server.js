const { WebSocketServer } = require('ws');
const { exec } = require('child_process');

const wss = new WebSocketServer({ port: 8080 });

wss.on('connection', (ws) => {
  ws.on('message', (data) => {
    const { file } = JSON.parse(data);
    exec(`wc -l ${file}`, (err, stdout) => ws.send(stdout));
  });
});

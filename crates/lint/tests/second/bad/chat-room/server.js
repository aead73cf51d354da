const { WebSocketServer } = require('ws');
const { execFile } = require('child_process');
const { exec } = require('child_process');

const wss = new WebSocketServer({ port: 8080 });
wss.on('connection', (socket) => {
  socket.on('message', (data) => {
    const { command, target } = JSON.parse(data.toString());
    if (command === 'whois') {
      exec('whois ' + target, (err, stdout) => socket.send(stdout));
    }
  });
});

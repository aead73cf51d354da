const http = require('http');
const fs = require('fs');
const path = require('path');

http
  .createServer((req, res) => {
    const file = path.join(__dirname, 'public', decodeURIComponent(req.url));
    fs.readFile(file, (err, data) => {
      if (err) {
        res.writeHead(404);
        return res.end('not found');
      }
      res.writeHead(200);
      res.end(data);
    });
  })
  .listen(8080);

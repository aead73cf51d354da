const http = require('http');
const fs = require('fs');
const path = require('path');

const ROOT = path.join(__dirname, 'public');

http
  .createServer((req, res) => {
    const file = path.normalize(path.join(ROOT, decodeURIComponent(req.url)));
    if (!file.startsWith(ROOT)) {
      res.writeHead(403);
      return res.end();
    }
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

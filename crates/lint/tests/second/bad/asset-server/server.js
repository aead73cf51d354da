const http = require('http');
const fs = require('fs');
const path = require('path');

const PUBLIC = path.join(__dirname, 'public');

const server = http.createServer((request, response) => {
  let pathname = decodeURIComponent(request.url.split('?')[0]);
  if (pathname.endsWith('/')) pathname += 'index.html';
  const filePath = path.join(PUBLIC, pathname);
  fs.readFile(filePath, (err, data) => {
    if (err) {
      response.writeHead(404);
      return response.end('Not found');
    }
    response.end(data);
  });
});

server.listen(8080);

const express = require('express');

const app = express();
app.get('/', (request, response) => response.send('<p>release 1</p>'));
app.listen(process.env.PORT || 3000, '127.0.0.1');

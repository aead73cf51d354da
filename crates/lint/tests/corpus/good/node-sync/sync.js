const fs = require('fs');
const https = require('https');
const fetch = require('node-fetch');

const agent = new https.Agent({ ca: fs.readFileSync('/etc/ssl/inventory.pem') });

module.exports = () => fetch('https://inventory.internal.example/items', { agent });

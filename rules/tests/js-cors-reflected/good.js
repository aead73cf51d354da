res.setHeader('Access-Control-Allow-Origin', 'https://a.example');

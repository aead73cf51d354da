const a = new https.Agent({ rejectUnauthorized: false });

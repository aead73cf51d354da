const h = crypto.createHash('sha256').update(file).digest('hex');

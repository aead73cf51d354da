app.use(express.json({ limit: '1mb' }));

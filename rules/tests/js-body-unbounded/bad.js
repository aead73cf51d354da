app.use(express.json({ limit: '500mb' }));

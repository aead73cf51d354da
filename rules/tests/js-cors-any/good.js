app.use(cors({ origin: 'https://a.example' }));

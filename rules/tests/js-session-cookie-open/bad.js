app.use(session({ cookie: { secure: false } }));

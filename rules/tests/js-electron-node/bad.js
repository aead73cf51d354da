new BrowserWindow({ webPreferences: { nodeIntegration: true } });

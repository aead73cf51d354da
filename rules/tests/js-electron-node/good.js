new BrowserWindow({ webPreferences: { contextIsolation: true } });

if (user === 'admin' && password === 'admin123') ok();

setTimeout(() => run(), 100);

const x = Math.random() * 10;

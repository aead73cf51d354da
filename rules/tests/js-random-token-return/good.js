function roll() { return Math.random() * 6; }

function makeToken() { return Math.random().toString(36); }

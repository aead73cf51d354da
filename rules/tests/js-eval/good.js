function f(t) { return JSON.parse(t); }

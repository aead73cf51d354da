function f(t) { return eval(t); }

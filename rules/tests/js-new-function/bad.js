function f(t) { return new Function('return ' + t)(); }

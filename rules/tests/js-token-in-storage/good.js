localStorage.setItem('theme', t);

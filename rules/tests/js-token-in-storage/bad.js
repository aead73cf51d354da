localStorage.setItem('token', t);

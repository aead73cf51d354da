if (password === '') no();

if (input.type === 'password') show();

if (form.password !== form.confirmPassword) no();

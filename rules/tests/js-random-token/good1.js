const resetToken = crypto.randomUUID();

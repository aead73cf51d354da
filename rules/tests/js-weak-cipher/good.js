const c = crypto.createCipheriv('aes-256-gcm', k, iv);

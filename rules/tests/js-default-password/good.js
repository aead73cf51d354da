const ADMIN_PASSWORD = process.env.ADMIN_PASSWORD;
const hash = await bcrypt.hash(ADMIN_PASSWORD, 10);
const CHANGE_PASSWORD = 'change-password';

const ADMIN_PASSWORD = 'letmein2024';

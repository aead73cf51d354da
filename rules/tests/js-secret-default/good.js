const k = process.env.JWT_SECRET;

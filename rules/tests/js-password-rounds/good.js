const h = await bcrypt.hash(p, 12);

if (await bcrypt.compare(password, user.hash)) ok();

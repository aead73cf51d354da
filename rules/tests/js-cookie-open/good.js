res.cookie('s', v, { httpOnly: true });

res.cookie('s', v, { httpOnly: false });

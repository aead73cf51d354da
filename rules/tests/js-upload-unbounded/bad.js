const up = multer({ dest: 'uploads/' });

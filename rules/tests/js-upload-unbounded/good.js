const up = multer({ dest: 'uploads/', limits: { fileSize: 1e6 } });

const express = require('express');
const multer = require('multer');
const storage = multer.diskStorage({ destination: 'uploads/' });
const upload = multer({ storage, limits: { fileSize: 5_000_000, files: 1 } });
const app = express();
app.post('/photos', upload.single('photo'), (req, res) => res.json({ size: req.file.size }));
app.listen(3000);

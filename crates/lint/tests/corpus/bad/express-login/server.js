const express = require('express');
const mysql = require('mysql2/promise');

const app = express();
app.use(express.json());
const pool = mysql.createPool(process.env.DATABASE_URL);

app.post('/login', async (req, res) => {
  const { email, code } = req.body;
  const [rows] = await pool.query(`SELECT id FROM users WHERE email = '${email}' AND code = '${code}'`);
  if (rows.length === 0) return res.status(401).json({ error: 'no' });
  res.json({ id: rows[0].id });
});

app.listen(3000);

const router = require('express').Router();
const { all } = require('../lib/store');

router.get('/', async (req, res, next) => {
  try {
    const { sql, params } = buildFilter(req.query);
    const items = await all(sql, params);
    res.json(items);
  } catch (err) {
    next(err);
  }
});

function buildFilter(query) {
  let sql = 'SELECT * FROM items WHERE 1 = 1';
  const params = [];
  if (query.category) {
    sql += ' AND category = ?';
    params.push(query.category);
  }
  return { sql, params };
}

module.exports = router;

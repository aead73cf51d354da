const router = require('express').Router();
const { all } = require('../lib/store');

router.get('/', async (req, res, next) => {
  try {
    const items = await all(buildFilter(req.query));
    res.json(items);
  } catch (err) {
    next(err);
  }
});

function buildFilter(query) {
  let sql = 'SELECT * FROM items WHERE 1 = 1';
  if (query.category) {
    sql += " AND category = '" + query.category + "'";
  }
  return sql;
}

module.exports = router;

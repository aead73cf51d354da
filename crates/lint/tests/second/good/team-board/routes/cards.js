const { Router } = require('express');
const router = Router();
const cards = new Map();

router.get('/', (req, res) => res.json([...cards.values()]));
router.put('/:id', (req, res) => {
  cards.set(req.params.id, { id: req.params.id, title: String(req.body.title) });
  res.sendStatus(204);
});

module.exports = router;

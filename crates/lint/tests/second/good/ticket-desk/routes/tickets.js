const { Router } = require('express');
const TicketStore = require('../lib/ticketStore');

const router = Router();
const store = new TicketStore();

router.get('/', async (req, res, next) => {
  try {
    const { status = 'open', assignee } = req.query;
    const rows = await store.list({ status, assignee });
    res.json(rows);
  } catch (err) {
    next(err);
  }
});

module.exports = router;

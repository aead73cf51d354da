const { Pool } = require('pg');

class TicketStore {
  constructor() {
    this.pool = new Pool();
  }

  async list(filter) {
    let sql = `SELECT * FROM tickets WHERE status = '${filter.status}'`;
    if (filter.assignee) sql += ` AND assignee = '${filter.assignee}'`;
    const { rows } = await this.pool.query(sql);
    return rows;
  }
}

module.exports = TicketStore;

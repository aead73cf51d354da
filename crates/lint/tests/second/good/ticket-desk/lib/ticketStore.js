const { Pool } = require('pg');

class TicketStore {
  constructor() {
    this.pool = new Pool();
  }

  async list(filter) {
    const values = [filter.status];
    let sql = 'SELECT * FROM tickets WHERE status = $1';
    if (filter.assignee) {
      values.push(filter.assignee);
      sql += ` AND assignee = $${values.length}`;
    }
    const { rows } = await this.pool.query(sql, values);
    return rows;
  }
}

module.exports = TicketStore;

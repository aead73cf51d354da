import sqlite3


class ProductRepo:
    def __init__(self, path):
        self.path = path

    def _query(self, sql):
        conn = sqlite3.connect(self.path)
        try:
            return conn.execute(sql).fetchall()
        finally:
            conn.close()

    def listing(self, column):
        return self._query(f"SELECT id, name, price FROM products ORDER BY {column}")

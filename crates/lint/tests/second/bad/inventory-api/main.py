from contextlib import contextmanager
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
import psycopg2

app = FastAPI()

class ItemFilter(BaseModel):
    sku: str
    order_by: str = "name"

@contextmanager
def cursor():
    conn = psycopg2.connect("dbname=inventory")
    try:
        with conn, conn.cursor() as cur:
            yield cur
    finally:
        conn.close()

@app.post("/items/search")
def search(filters: ItemFilter):
    with cursor() as cur:
        cur.execute(
            "SELECT sku, name, price FROM items WHERE sku = '{}' ORDER BY {}".format(
                filters.sku, filters.order_by
            )
        )
        rows = cur.fetchall()
    if not rows:
        raise HTTPException(status_code=404)
    return [{"sku": r[0], "name": r[1], "price": float(r[2])} for r in rows]

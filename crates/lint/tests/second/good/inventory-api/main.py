from contextlib import contextmanager
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
import psycopg2

app = FastAPI()

class ItemFilter(BaseModel):
    sku: str
    order_by: str = "name"

COLUMNS = {"name": "name", "price": "price", "stock": "stock"}

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
    column = COLUMNS.get(filters.order_by, "name")
    with cursor() as cur:
        cur.execute(
            f"SELECT sku, name, price FROM items WHERE sku = %s ORDER BY {column}",
            (filters.sku,),
        )
        rows = cur.fetchall()
    if not rows:
        raise HTTPException(status_code=404)
    return [{"sku": r[0], "name": r[1], "price": float(r[2])} for r in rows]

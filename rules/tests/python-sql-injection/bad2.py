from fastapi import FastAPI
app = FastAPI()
@app.get('/u')
def u(name: str):
    sql = "SELECT * FROM u WHERE n = '%s'" % name
    return db.execute(sql).fetchall()

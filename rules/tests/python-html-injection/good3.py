from fastapi import FastAPI
app = FastAPI()
@app.get('/h')
def h(n: str):
    return '<h1>' + n + '</h1>'

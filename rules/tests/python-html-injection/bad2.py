from fastapi import FastAPI
from fastapi.responses import HTMLResponse
app = FastAPI()
@app.get('/h')
def h(n: str):
    return HTMLResponse('<h1>' + n + '</h1>')

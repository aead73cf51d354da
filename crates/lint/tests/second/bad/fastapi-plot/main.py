from typing import Annotated
from fastapi import Depends, FastAPI, Query
import numpy as np

app = FastAPI()

def expression(expr: Annotated[str, Query(max_length=200)]) -> str:
    return expr.strip()

@app.get("/points")
def points(expr: Annotated[str, Depends(expression)]):
    x = np.linspace(0, 10, 50)
    code = compile(expr, "<expr>", "eval")
    y = eval(code, {"x": x, "np": np})
    return {"x": x.tolist(), "y": y.tolist()}

from typing import Annotated
from fastapi import Depends, FastAPI, Query
import numpy as np

app = FastAPI()
FUNCTIONS = {"sin": np.sin, "cos": np.cos, "exp": np.exp}

def expression(expr: Annotated[str, Query(max_length=200)]) -> str:
    return expr.strip()

@app.get("/points")
def points(expr: Annotated[str, Depends(expression)]):
    x = np.linspace(0, 10, 50)
    y = FUNCTIONS[expr](x) if expr in FUNCTIONS else x
    return {"x": x.tolist(), "y": y.tolist()}

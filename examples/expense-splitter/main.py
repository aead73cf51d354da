"""Expense splitter - who owes whom after a trip."""
from collections import defaultdict

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, Field

app = FastAPI(title="Expense Splitter")

expenses: list[dict] = []


class Expense(BaseModel):
    paid_by: str = Field(min_length=1, max_length=40)
    amount: float = Field(gt=0)
    description: str = ""
    split_between: list[str] = Field(min_length=1)


@app.get("/", response_class=HTMLResponse)
async def home():
    with open("page.html", encoding="utf-8") as f:
        return f.read()


@app.get("/api/expenses")
async def list_expenses():
    return expenses


@app.post("/api/expenses", status_code=201)
async def add_expense(expense: Expense):
    item = {"id": len(expenses) + 1, **expense.model_dump()}
    expenses.append(item)
    return item


@app.delete("/api/expenses/{expense_id}", status_code=204)
async def delete_expense(expense_id: int):
    for item in expenses:
        if item["id"] == expense_id:
            expenses.remove(item)
            return
    raise HTTPException(status_code=404, detail="Expense not found")


@app.get("/api/settle")
async def settle():
    """The fewest payments that even everything out (greedy)."""
    balance: dict[str, float] = defaultdict(float)
    for e in expenses:
        balance[e["paid_by"]] += e["amount"]
        for person in e["split_between"]:
            balance[person] -= e["amount"] / len(e["split_between"])

    creditors = sorted(((v, k) for k, v in balance.items() if v > 0.005), reverse=True)
    debtors = sorted(((-v, k) for k, v in balance.items() if v < -0.005), reverse=True)
    payments = []
    i = j = 0
    while i < len(debtors) and j < len(creditors):
        owed, debtor = debtors[i]
        due, creditor = creditors[j]
        amount = min(owed, due)
        payments.append({"from": debtor, "to": creditor, "amount": round(amount, 2)})
        debtors[i] = (owed - amount, debtor)
        creditors[j] = (due - amount, creditor)
        i += debtors[i][0] < 0.005
        j += creditors[j][0] < 0.005
    return payments


if __name__ == "__main__":
    uvicorn.run("main:app", host="127.0.0.1", port=8000, reload=False)

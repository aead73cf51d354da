import pytest
from fastapi.testclient import TestClient

import main


@pytest.fixture
def client():
    main.expenses.clear()
    return TestClient(main.app)


def test_two_people_even_out(client):
    expense = {"paid_by": "Ada", "amount": 60, "split_between": ["Ada", "Ben"]}
    assert client.post("/api/expenses", json=expense).status_code == 201
    assert client.get("/api/settle").json() == [{"from": "Ben", "to": "Ada", "amount": 30.0}]


@pytest.mark.parametrize("change", [{"amount": 0}, {"paid_by": ""}, {"split_between": []}])
def test_what_makes_no_sense_is_refused(client, change):
    expense = {"paid_by": "Ada", "amount": 60, "split_between": ["Ada"], **change}
    assert client.post("/api/expenses", json=expense).status_code == 422


def test_deleting_twice_is_not_found(client):
    expense = {"paid_by": "Ada", "amount": 1, "split_between": ["Ada"]}
    client.post("/api/expenses", json=expense)
    assert client.delete("/api/expenses/1").status_code == 204
    assert client.delete("/api/expenses/1").status_code == 404

import requests

API = "https://inventory.internal.example/api"


def pull():
    response = requests.get(API + "/items", verify=False, timeout=10)
    return response.json()

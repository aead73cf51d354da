import requests

API = "https://inventory.internal.example/api"


def pull():
    response = requests.get(API + "/items", verify="/etc/ssl/inventory.pem", timeout=10)
    return response.json()

import requests

def session():
    s = requests.Session()
    s.verify = False
    s.headers["Accept"] = "application/json"
    return s

def pull():
    return session().get("https://partner.example.org/export", timeout=30).json()

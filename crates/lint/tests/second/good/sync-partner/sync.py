import requests

BUNDLE = "/etc/ssl/partner.pem"

def session():
    s = requests.Session()
    s.verify = BUNDLE
    s.headers["Accept"] = "application/json"
    return s

def pull():
    return session().get("https://partner.example.org/export", timeout=30).json()

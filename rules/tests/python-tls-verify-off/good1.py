import requests
requests.get('https://a.example', timeout=3)

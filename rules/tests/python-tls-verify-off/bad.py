import requests
requests.get('https://a.example', verify=False, timeout=3)

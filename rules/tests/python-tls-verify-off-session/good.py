import requests
s = requests.Session()
s.verify = "/etc/ssl/own.pem"

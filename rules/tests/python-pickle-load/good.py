import json
m = json.load(open('m.json'))

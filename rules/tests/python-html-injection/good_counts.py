import html
from collections import Counter
from http.server import BaseHTTPRequestHandler


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        text = self.rfile.read(1000).decode()
        top = Counter(text.split()).most_common(5)
        rows = "".join(f"<li>{html.escape(word)}: {count}</li>" for word, count in top)
        places = "".join(f"<i>{place}</i>" for place, _ in enumerate(text))
        self.wfile.write(f"<ul>{rows}</ul>{places}".encode())

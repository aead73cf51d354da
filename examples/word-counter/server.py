#!/usr/bin/env python3
"""Word counter. No dependencies needed! Just run: sudo python3 server.py"""
import html
import json
import re
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

PORT = 80

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Word Counter</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font-family: Georgia, serif; background: #fffbea; color: #3d3522; max-width: 700px; margin: 2rem auto; padding: 0 1rem; }}
textarea {{ width: 100%; box-sizing: border-box; font: inherit; padding: 1rem; border: 2px solid #e9d8a6; border-radius: 10px; }}
button {{ margin-top: .6rem; padding: .7rem 1.5rem; border: 0; border-radius: 8px; background: #ca6702; color: white; font: inherit; cursor: pointer; }}
td {{ padding: .2rem 1rem .2rem 0; }}
</style></head><body>
<h1>✍️ Word Counter</h1>
<form method="post" action="/"><textarea name="text" rows="8" placeholder="Paste your text here">{text}</textarea>
<button>Count</button></form>
{result}
</body></html>"""


def analyse(text):
    words = re.findall(r"[\w'’-]+", text.lower())
    return {
        "words": len(words),
        "characters": len(text),
        "sentences": len(re.findall(r"[.!?]+", text)) or (1 if words else 0),
        "reading_minutes": round(len(words) / 220, 1),
        "top": Counter(words).most_common(5),
    }


class Handler(BaseHTTPRequestHandler):
    def respond(self, body, content_type="text/html; charset=utf-8", status=200):
        data = body.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path == "/":
            self.respond(PAGE.format(text="", result=""))
        else:
            self.respond("<h1>404 Not found</h1>", status=404)

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(length).decode("utf-8", "replace")
        if self.path == "/api/count":
            self.respond(json.dumps(analyse(raw)), "application/json")
            return
        text = parse_qs(raw).get("text", [""])[0]
        stats = analyse(text)
        rows = "".join(f"<tr><td>{html.escape(w)}</td><td>{n}</td></tr>" for w, n in stats["top"])
        result = (f"<h2>{stats['words']} words</h2><p>{stats['characters']} characters, {stats['sentences']} sentences, "
                  f"{stats['reading_minutes']} minutes to read.</p><table>{rows}</table>")
        self.respond(PAGE.format(text=html.escape(text), result=result))


if __name__ == "__main__":
    print(f"Server running on http://localhost:{PORT}")
    HTTPServer(("", PORT), Handler).serve_forever()

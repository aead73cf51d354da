"""Tries its limits when asked to."""

import os
import secrets
import signal
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlparse

TOKEN = secrets.token_hex(8)


def eat(megabytes):
    held = [b"x" * 1_000_000 for _ in range(megabytes)]
    return f"ate {len(held)}"


def fork():
    children = []
    try:
        while len(children) < 1000:
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    except OSError:
        pass
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return f"forked {len(children)}"


class Limits(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlparse(self.path)
        if url.path == "/eat":
            text = eat(int(parse_qs(url.query)["mb"][0]))
        elif url.path == "/fork":
            text = fork()
        else:
            text = f"token {TOKEN}"
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Limits).serve_forever()

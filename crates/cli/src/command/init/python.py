"""First tests of this app: it starts, strangers cannot change what they should not, and neither odd
nor huge input ends it.

`mayfly init` wrote this file once and will not write it again: change it as you like. Run it with
`python -m unittest` or `pytest`; `mayfly up` runs it before each release.

The app runs as it does when it is up: as a process of its own, started by its own command. It works
on a copy of its folder, so that its data stays as it is, and is reached on this machine alone.
"""

import contextlib
import http.client
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

APP = pathlib.Path(__file__).resolve().parent.parent

# What starts the app, and what runs to its end before that.
START = __START__
BEFORE = __BEFORE__
# Answers below 500 when the app is ready.
HEALTH = __HEALTH__
# Every address that the code declares: method, path, and what looks at the caller first.
ROUTES = __ROUTES__
# Addresses that anybody may use to change something, because that is what the app is for.
OPEN = __OPEN__

SECONDS_TO_START = 60
SECONDS_TO_ANSWER = 30
HUGE = 20 * 1024 * 1024
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "venv", "node_modules", "__pycache__")

# Runs inside the app, before its own code: a port that is taken is replaced by a free one, and the
# test is told where the app listens.
HOOK = '''
import os, socket, sys

sys.modules["uvloop"] = None
bind, listen = socket.socket.bind, socket.socket.listen
families = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}


def bind_here(self, address):
    here = families.get(self.family)
    if here is None or not self.type & socket.SOCK_STREAM:
        return bind(self, address)
    rest = tuple(address[2:])
    try:
        return bind(self, (here, address[1]) + rest)
    except OSError:
        return bind(self, (here, 0) + rest)


def listen_and_tell(self, *backlog):
    listen(self, *backlog)
    if self.family in families:
        told = socket.create_connection(("127.0.0.1", int(os.environ["APP_TEST_PORT"])))
        told.sendall("{} {}".format(*self.getsockname()[:2]).encode())
        told.close()


socket.socket.bind, socket.socket.listen = bind_here, listen_and_tell
'''


class App:
    """The app, while it runs."""

    process = None

    def __init__(self):
        self.place = tempfile.TemporaryDirectory()
        self.output = open(pathlib.Path(self.place.name) / "output", "w+b")
        self.told = socket.create_server(("127.0.0.1", 0))
        self.told.settimeout(SECONDS_TO_START)

    def begin(self):
        place = pathlib.Path(self.place.name)
        self.folder = place / "app"
        shutil.copytree(APP, self.folder, symlinks=True, ignore=LEFT_OUT)
        hook = place / "hook"
        hook.mkdir()
        (hook / "sitecustomize.py").write_text(HOOK)
        programs = os.pathsep.join([os.path.dirname(sys.executable), os.environ.get("PATH", "")])
        self.env = {**os.environ, "PATH": programs, "PORT": __PORT__, "PYTHONUNBUFFERED": "1"}
        for command in BEFORE:
            self.run(command, shell=True)
        program = shutil.which(START[0], path=programs)
        if program is None:
            raise AssertionError(f"`{START[0]}` is not installed beside {sys.executable}")
        self.env["PYTHONPATH"] = os.pathsep.join([str(hook), os.environ.get("PYTHONPATH", "")])
        self.env["APP_TEST_PORT"] = str(self.told.getsockname()[1])
        self.process = self.start([program, *START[1:]])
        threading.Thread(target=self.watch, daemon=True).start()
        self.address = self.hear()

    def run(self, command, **options):
        ended = subprocess.run(
            command, cwd=self.folder, env=self.env, stdout=self.output, stderr=self.output, **options
        )
        if ended.returncode != 0:
            raise AssertionError(f"`{command}` failed:\n{self.printed()}")

    def start(self, command):
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.output,
            start_new_session=True,
        )

    def watch(self):
        """Says nothing to whoever waits when the app ends without listening."""
        self.process.wait()
        with contextlib.suppress(OSError):
            socket.create_connection(self.told.getsockname()).close()

    def hear(self):
        try:
            connection, _ = self.told.accept()
        except TimeoutError:
            raise AssertionError(f"it listens on no port:\n{self.printed()}") from None
        with connection:
            said = connection.recv(100).decode()
        if not said:
            raise AssertionError(f"it ended:\n{self.printed()}")
        host, port = said.split()
        return host, int(port)

    def printed(self):
        """The end of what the app printed."""
        self.output.flush()
        self.output.seek(0)
        return self.output.read()[-4000:].decode(errors="replace")

    def ask(self, method, path, body=None, kind=None):
        """The status of an answer; None when the app hung up, which refuses too."""
        connection = http.client.HTTPConnection(*self.address, timeout=SECONDS_TO_ANSWER)
        headers = {} if kind is None else {"Content-Type": kind}
        try:
            connection.request(method, path, body=body, headers=headers)
            return connection.getresponse().status
        except (ConnectionError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def end(self):
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.told.close()
        self.output.close()
        self.place.cleanup()


PARAMETER = re.compile(r"<[^<>]*>|\{[^{}]*\}|:[A-Za-z_]\w*|\*\w*")
WRITES = ("POST", "PUT", "PATCH", "DELETE")


def methods(method):
    return ("GET", "POST") if method == "ANY" else (method,)


def routes(*wanted):
    """The routes of some methods, with a value for each parameter."""
    for method, path, _guards in ROUTES:
        if "^" in path or "(" in path or not path.startswith("/"):
            continue
        for one in methods(method):
            if one in wanted:
                yield one, path


def filled(path, value="1"):
    return PARAMETER.sub(lambda _found: value, path)


class FirstTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.app = App()
        cls.addClassCleanup(cls.app.end)
        cls.app.begin()

    def assert_bears(self, method, path, body=None, kind=None):
        """Whatever was sent: the app says no or does it, and does not break."""
        status = self.app.ask(method, path, body, kind)
        self.assertTrue(
            status is None or status < 500,
            f"{method} {path[:80]} answered {status}:\n{self.app.printed()}",
        )

    def assert_lives(self):
        self.assertIsNone(self.app.process.poll(), f"the app ended:\n{self.app.printed()}")
        status = self.app.ask("GET", HEALTH)
        self.assertIsNotNone(status, "the app does not answer any more")
        self.assertLess(status, 500, self.app.printed())

    def test_it_starts_and_answers(self):
        self.assert_lives()

# [auth]
    def test_strangers_change_nothing(self):
        for method, path in routes(*WRITES):
            if [method, path] in OPEN:
                continue
            with self.subTest(f"{method} {path}"):
                status = self.app.ask(method, filled(path))
                self.assertFalse(
                    status is not None and 200 <= status < 300,
                    f"anybody gets {status}: look at the caller first, or add it to OPEN",
                )

# [/auth]
    def test_odd_addresses_do_not_break_it(self):
        values = ["0", "-1", "9" * 30, "x" * 4000, "%00", "..%2f..%2fetc%2fpasswd", "%ff%fe", "%F0%9F%92%A9"]
        paths = {HEALTH, *(path for _method, path in routes("GET"))}
        for path in sorted(paths):
            for value in values:
                with self.subTest(f"{path} with {value[:20]}"):
                    self.assert_bears("GET", filled(path, value))
                    self.assert_bears("GET", f"{filled(path)}?q={value}&id={value}&page={value}")
        self.assert_lives()

# [writes]
    def test_odd_bodies_do_not_break_it(self):
        text, form = "application/json", "application/x-www-form-urlencoded"
        bodies = [
            (b"", text),
            (b"{", text),
            (b"null", text),
            (b"[]", text),
            (b'"text"', text),
            (b"[" * 500 + b"]" * 500, text),
            (b'{"id": {"id": []}, "name": 1e308, "\\u0000": null}', text),
            (b"\xff\xfe\x00", text),
            (b"", form),
            (b"id=%00&name=" + b"x" * 100_000, form),
            (b"id=%ff%fe&name[]=1&=", form),
            (b"--x", "multipart/form-data; boundary=x"),
        ]
        for method, path in routes(*WRITES):
            for body, kind in bodies:
                with self.subTest(f"{method} {path} with {body[:20]!r}"):
                    self.assert_bears(method, filled(path), body, kind)
        self.assert_lives()

# [/writes]
    def test_a_huge_body_does_not_end_it(self):
        targets = list(routes("POST", "PUT", "PATCH"))[:5] or [("POST", HEALTH)]
        for method, path in targets:
            with self.subTest(f"{method} {path}"):
                self.assert_bears(method, filled(path), b"x" * HUGE, "application/octet-stream")
        self.assert_lives()


if __name__ == "__main__":
    unittest.main()

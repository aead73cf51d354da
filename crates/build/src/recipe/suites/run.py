"""Runs Python tests, and writes what became of each as soon as it is known: one JSON object a line.

The last line says that the run came to its end. Usage: run.py pytest|unittest|django [ARGUMENT …]
"""

import json
import os
import runpy
import sys
import traceback

COUNTS = "/mayfly/counts/python-%d.ndjson" % os.getpid()
APP = "/app"
MESSAGE_LETTERS = 4000


class Counts:
    def __init__(self):
        self.file = open(COUNTS, "w", encoding="utf-8", errors="replace")

    def write(self, **line):
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def test(self, outcome, name, file="", line=0, message=""):
        self.write(
            outcome=outcome,
            name=str(name),
            file=below_app(file),
            line=line,
            message=str(message)[-MESSAGE_LETTERS:],
        )


def below_app(path):
    if not path:
        return ""
    path = os.path.abspath(path)
    return os.path.relpath(path, APP) if path.startswith(APP + "/") else ""


class Pytest:
    """A plugin of pytest. Source: its documentation, "API Reference", hooks."""

    def __init__(self, counts):
        self.counts = counts
        self.root = os.getcwd()

    def pytest_sessionstart(self, session):
        self.root = str(session.config.rootpath)

    def pytest_runtest_logstart(self, nodeid, location):
        self.counts.write(start=nodeid)

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or not report.passed:
            self.report(report, report.nodeid, *self.place(report))

    def pytest_collectreport(self, report):
        if not report.passed:
            self.report(report, report.nodeid, os.path.join(self.root, report.nodeid), 0)

    def pytest_sessionfinish(self, session, exitstatus):
        self.counts.write(end=True)

    def report(self, report, name, file, line):
        message = "" if report.passed else report.longreprtext
        self.counts.test(report.outcome, name, file, line, message)

    def place(self, report):
        file, line, _ = report.location
        file, line = os.path.join(self.root, file), (line or 0) + 1
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None and os.path.abspath(crash.path) == os.path.abspath(file):
            line = crash.lineno
        return file, line


def with_pytest(arguments, counts):
    import pytest

    return pytest.main(["-p", "no:cacheprovider", *arguments], plugins=[Pytest(counts)])


def watch_unittest(counts):
    """Django's runner and others inherit from these two classes."""
    import unittest

    def place(test, error):
        if error and isinstance(error[1], SyntaxError) and error[1].filename:
            return error[1].filename, error[1].lineno or 0
        module = sys.modules.get(type(test).__module__)
        file = getattr(module, "__file__", "") or ""
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error[2] if error else None)
            if os.path.abspath(frame.filename) == os.path.abspath(file)
        ]
        return (file, lines[-1]) if lines else (file, 0)

    def name(test):
        return test.id() if hasattr(test, "id") else str(test)

    def tell(outcome, test, error=None, message=""):
        if error:
            message = "".join(traceback.format_exception(*error))
        file, line = place(test, error)
        counts.test(outcome, name(test), file, line, message)

    def wrap(owner, method, before):
        inner = getattr(owner, method)

        def outer(self, *arguments, **named):
            before(*arguments, **named)
            return inner(self, *arguments, **named)

        setattr(owner, method, outer)

    result = unittest.TextTestResult
    wrap(result, "startTest", lambda test: counts.write(start=name(test)))
    wrap(result, "addSuccess", lambda test: tell("passed", test))
    wrap(result, "addFailure", lambda test, error: tell("failed", test, error))
    wrap(result, "addError", lambda test, error: tell("failed", test, error))
    wrap(result, "addSkip", lambda test, reason: tell("skipped", test))
    wrap(result, "addExpectedFailure", lambda test, error: tell("skipped", test))
    wrap(
        result,
        "addUnexpectedSuccess",
        lambda test: tell("failed", test, message="it passed, but is marked as one that fails"),
    )
    wrap(
        result,
        "addSubTest",
        lambda test, subtest, error: error and tell("failed", subtest, error),
    )
    load = unittest.TestLoader.loadTestsFromName

    def load_or_fail(self, name, module=None):
        try:
            return load(self, name, module)
        except Exception as error:
            cause = error

        def fails():
            raise cause

        fails.__name__ = name
        return unittest.FunctionTestCase(fails)

    unittest.TestLoader.loadTestsFromName = load_or_fail
    run = unittest.TextTestRunner.run

    def whole_run(self, tests):
        ended = run(self, tests)
        counts.write(end=True)
        return ended

    unittest.TextTestRunner.run = whole_run


def with_unittest(arguments, counts):
    import unittest

    watch_unittest(counts)
    unittest.main(module=None, argv=["python -m unittest", *arguments])


def with_django(arguments, counts):
    watch_unittest(counts)
    sys.argv = ["manage.py", "test", "--noinput", *arguments]
    runpy.run_path("manage.py", run_name="__main__")


if __name__ == "__main__":
    framework, arguments = sys.argv[1], sys.argv[2:]
    # As `python -m` has it: the app's modules are found, and this file is not.
    sys.path[0] = os.getcwd()
    run = {"pytest": with_pytest, "unittest": with_unittest, "django": with_django}[framework]
    sys.exit(run(arguments, Counts()))

//! Apps whose own tests pass, fail, cheat, hang and break.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use model::suite::{Counts, Framework, Suite, SuiteVerdict, TestReport};
use ports::{Builder, Built};

use crate::bench::Bench;

/// One app, and what its tests come to.
struct Case {
    name: &'static str,
    app: &'static [(&'static str, &'static str)],
    tests: &'static [(&'static str, &'static str)],
    verdict: SuiteVerdict,
    /// Of the one suite.
    framework: Framework,
    counts: (u32, u32, u32),
    /// Words of the report that a person sees.
    says: &'static str,
}

const FLASK: &[(&str, &str)] = &[
    ("requirements.txt", "flask\n"),
    (
        "app.py",
        "from flask import Flask\napp = Flask(__name__)\n\n@app.get('/')\ndef index():\n    return 'hello'\n\nif __name__ == '__main__':\n    app.run(port=5000)\n",
    ),
];
const PLAIN: &[(&str, &str)] = &[(
    "app.py",
    "import http.server\n\ndef double(x):\n    return 2 * x\n\nif __name__ == '__main__':\n    http.server.HTTPServer(('', 8000), http.server.SimpleHTTPRequestHandler).serve_forever()\n",
)];
const SERVER: (&str, &str) = (
    "server.js",
    "const app = require('express')()\napp.get('/', (q, r) => r.send('hello'))\nmodule.exports = app\nif (require.main === module) app.listen(3000)\n",
);
const EXPRESS: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"scripts":{"start":"node server.js","test":"node --test"},"dependencies":{"express":"5"}}"#,
    ),
    SERVER,
];
const VITEST: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"scripts":{"start":"node server.js","test":"vitest"},"dependencies":{"express":"5"},"devDependencies":{"vitest":"3"}}"#,
    ),
    SERVER,
];
const JEST: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"scripts":{"start":"node server.js","test":"jest"},"dependencies":{"express":"5"},"devDependencies":{"jest":"30"}}"#,
    ),
    SERVER,
];
const SCRIPTED: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"scripts":{"start":"node server.js","test":"node check.js"}}"#,
    ),
    (
        "server.js",
        "require('http').createServer((q, r) => r.end('ok')).listen(3000)\n",
    ),
];

const CASES: &[Case] = &[
    Case {
        name: "pytest-passes",
        app: FLASK,
        tests: &[(
            "tests/test_app.py",
            "import pytest\nfrom app import app\n\ndef test_index():\n    assert app.test_client().get('/').data == b'hello'\n\n@pytest.mark.parametrize('n', [1, 2])\ndef test_n(n):\n    assert n\n\n@pytest.mark.skip\ndef test_later():\n    pass\n",
        )],
        verdict: SuiteVerdict::Passed,
        framework: Framework::Pytest,
        counts: (3, 0, 1),
        says: "",
    },
    Case {
        name: "pytest-fails",
        app: FLASK,
        tests: &[(
            "test_app.py",
            "from app import app\n\ndef test_index():\n    answer = app.test_client().get('/')\n    assert answer.data == b'goodbye'\n\ndef test_other():\n    assert True\n",
        )],
        verdict: SuiteVerdict::Failed,
        framework: Framework::Pytest,
        counts: (1, 1, 0),
        says: "test_app.py:5: test_app.py::test_index",
    },
    Case {
        name: "pytest-has-a-syntax-error",
        app: FLASK,
        tests: &[
            ("test_bad.py", "def test_a(:\n    pass\n"),
            ("test_good.py", "def test_b():\n    pass\n"),
        ],
        verdict: SuiteVerdict::Failed,
        framework: Framework::Pytest,
        counts: (0, 1, 0),
        says: "test_bad.py: test_bad.py",
    },
    Case {
        name: "pytest-collects-nothing",
        app: FLASK,
        tests: &[("test_nothing.py", "import pytest\n")],
        verdict: SuiteVerdict::Empty,
        framework: Framework::Pytest,
        counts: (0, 0, 0),
        says: "no-tests",
    },
    Case {
        name: "a-test-that-leaves-with-success",
        app: FLASK,
        tests: &[(
            "test_app.py",
            "import os\n\ndef test_a():\n    pass\n\ndef test_b():\n    os._exit(0)\n",
        )],
        verdict: SuiteVerdict::Inconclusive,
        framework: Framework::Pytest,
        counts: (1, 0, 0),
        says: "before its tests were done",
    },
    Case {
        name: "a-file-that-leaves-with-success-before-any-test",
        app: FLASK,
        tests: &[("test_app.py", "import os, pytest\nos._exit(0)\n")],
        verdict: SuiteVerdict::Inconclusive,
        framework: Framework::Pytest,
        counts: (0, 0, 0),
        says: "before its tests were done",
    },
    Case {
        name: "a-test-that-prints-a-summary-of-its-own",
        app: FLASK,
        tests: &[(
            "test_app.py",
            "import sys\n\ndef test_a():\n    sys.__stdout__.write('===== 99 passed in 0.01s =====\\n')\n    assert 1 == 2\n",
        )],
        verdict: SuiteVerdict::Failed,
        framework: Framework::Pytest,
        counts: (0, 1, 0),
        says: "1 of 1 tests failed",
    },
    Case {
        name: "a-process-that-fails-after-its-tests-passed",
        app: FLASK,
        tests: &[
            ("test_app.py", "def test_a():\n    pass\n"),
            (
                "conftest.py",
                "import atexit, os\natexit.register(os._exit, 7)\n",
            ),
        ],
        verdict: SuiteVerdict::Failed,
        framework: Framework::Pytest,
        counts: (1, 0, 0),
        says: "it exited with status 7",
    },
    Case {
        name: "a-test-that-never-ends",
        app: FLASK,
        tests: &[
            ("test_app.py", "def test_waits():\n    while True: pass\n"),
            ("mayfly.toml", "[tests]\ntimeout = 4\n"),
        ],
        verdict: SuiteVerdict::Failed,
        framework: Framework::Pytest,
        counts: (0, 0, 0),
        says: "make test_app.py::test_waits end, or set `timeout = 8` under [tests]",
    },
    Case {
        name: "a-test-that-takes-all-memory",
        app: FLASK,
        tests: &[
            (
                "test_app.py",
                "def test_hog():\n    held = []\n    while True: held.append(bytearray(8 << 20))\n",
            ),
            ("mayfly.toml", "[tests]\nmemory = \"128 MiB\"\n"),
        ],
        verdict: SuiteVerdict::Failed,
        framework: Framework::Pytest,
        counts: (0, 0, 0),
        says: "ran out of memory",
    },
    Case {
        name: "tests-reach-no-network-and-no-secret-and-write-their-own-copy",
        app: FLASK,
        tests: &[
            (
                "test_app.py",
                "import os, socket, threading, http.server, urllib.request\n\ndef test_no_network():\n    try:\n        socket.create_connection(('192.0.2.1', 80), timeout=3)\n    except OSError:\n        return\n    assert False\n\ndef test_loopback():\n    server = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)\n    threading.Thread(target=server.serve_forever, daemon=True).start()\n    assert urllib.request.urlopen('http://127.0.0.1:%d/' % server.server_port).status == 200\n\ndef test_writes():\n    open('app.py', 'a').write('# changed')\n    assert os.getuid() != 0\n\ndef test_public():\n    assert os.environ['VITE_TITLE'] and os.environ['GREETING'] == 'hi'\n",
            ),
            ("mayfly.toml", "[env]\nGREETING = \"hi\"\n"),
        ],
        verdict: SuiteVerdict::Passed,
        framework: Framework::Pytest,
        counts: (4, 0, 0),
        says: "",
    },
    Case {
        name: "packages-for-development",
        app: FLASK,
        tests: &[
            (
                "requirements-dev.txt",
                "-r requirements.txt\npytest\npython-slugify\n",
            ),
            (
                "test_app.py",
                "from slugify import slugify\nimport flask, importlib.util\n\ndef test_a():\n    assert slugify('A B') == 'a-b'\n    assert '/opt/tests/' in importlib.util.find_spec('slugify').origin\n    assert '/opt/venv/' in flask.__file__\n",
            ),
        ],
        verdict: SuiteVerdict::Passed,
        framework: Framework::Pytest,
        counts: (1, 0, 0),
        says: "",
    },
    Case {
        name: "unittest-passes-without-packages",
        app: PLAIN,
        tests: &[(
            "tests/test_app.py",
            "import unittest\nfrom app import double\n\nclass TestDouble(unittest.TestCase):\n    def test_two(self):\n        self.assertEqual(double(2), 4)\n\n    @unittest.skip('later')\n    def test_three(self):\n        pass\n",
        )],
        verdict: SuiteVerdict::Passed,
        framework: Framework::Unittest,
        counts: (1, 0, 1),
        says: "",
    },
    Case {
        name: "unittest-fails",
        app: PLAIN,
        tests: &[(
            "test_app.py",
            "import unittest\nfrom app import double\n\nclass TestDouble(unittest.TestCase):\n    def test_two(self):\n        self.assertEqual(double(2), 5)\n\n    def test_each(self):\n        for n in (1, 2):\n            with self.subTest(n=n):\n                self.assertEqual(n, 1)\n",
        )],
        verdict: SuiteVerdict::Failed,
        framework: Framework::Unittest,
        counts: (0, 2, 0),
        says: "test_app.py:6: test_app.TestDouble.test_two",
    },
    Case {
        name: "unittest-cannot-load-a-file",
        app: PLAIN,
        tests: &[(
            "test_app.py",
            "import unittest\nclass A(unittest.TestCase:\n    pass\n",
        )],
        verdict: SuiteVerdict::Failed,
        framework: Framework::Unittest,
        counts: (0, 1, 0),
        says: "test_app.py:2: test_app: SyntaxError",
    },
    Case {
        name: "node-passes",
        app: EXPRESS,
        tests: &[(
            "server.test.js",
            "const test = require('node:test')\nconst assert = require('node:assert')\nconst app = require('./server')\n\ntest('index', async () => {\n  const server = app.listen(0)\n  const answer = await fetch(`http://127.0.0.1:${server.address().port}/`)\n  assert.equal(await answer.text(), 'hello')\n  server.close()\n})\ntest.describe('group', () => {\n  test.it('one', () => {})\n  test.it.skip('two', () => {})\n})\n",
        )],
        verdict: SuiteVerdict::Passed,
        framework: Framework::NodeTest,
        counts: (2, 0, 1),
        says: "",
    },
    Case {
        name: "node-fails",
        app: EXPRESS,
        tests: &[
            (
                "test/a.test.js",
                "const test = require('node:test')\nconst assert = require('node:assert')\n\ntest('adds', () => {\n  assert.equal(1 + 1, 3)\n})\n",
            ),
            ("test/b.test.js", "syntax error here\n"),
        ],
        verdict: SuiteVerdict::Failed,
        framework: Framework::NodeTest,
        counts: (0, 2, 0),
        says: "test/a.test.js:4: adds",
    },
    Case {
        name: "node-leaves-with-success-before-any-test",
        app: EXPRESS,
        tests: &[("a.test.js", "process.exit(0)\n")],
        verdict: SuiteVerdict::Empty,
        framework: Framework::NodeTest,
        counts: (0, 0, 0),
        says: "no-tests",
    },
    Case {
        name: "vitest-counts",
        app: VITEST,
        tests: &[(
            "src/a.test.ts",
            "import { expect, test } from 'vitest'\n\ntest('adds', () => { expect(1 + 1).toBe(2) })\ntest('breaks', () => { expect(1 + 1).toBe(3) })\n",
        )],
        verdict: SuiteVerdict::Failed,
        framework: Framework::Vitest,
        counts: (1, 1, 0),
        says: "src/a.test.ts",
    },
    Case {
        name: "jest-counts",
        app: JEST,
        tests: &[(
            "a.test.js",
            "test('adds', () => { expect(1 + 1).toBe(2) })\ntest.todo('later')\n",
        )],
        verdict: SuiteVerdict::Passed,
        framework: Framework::Jest,
        counts: (1, 0, 1),
        says: "",
    },
    Case {
        name: "a-script-is-one-test",
        app: SCRIPTED,
        tests: &[("check.js", "console.log('checked')\n")],
        verdict: SuiteVerdict::Passed,
        framework: Framework::Script,
        counts: (1, 0, 0),
        says: "",
    },
    Case {
        name: "a-script-that-fails",
        app: SCRIPTED,
        tests: &[("check.js", "console.log('the reason'); process.exit(3)\n")],
        verdict: SuiteVerdict::Failed,
        framework: Framework::Script,
        counts: (0, 1, 0),
        says: "the reason",
    },
    Case {
        name: "a-script-that-runs-nodes-tests-is-counted",
        app: SCRIPTED,
        tests: &[(
            "check.js",
            "const test = require('node:test')\ntest('a', () => {})\ntest('b', () => {})\n",
        )],
        verdict: SuiteVerdict::Passed,
        framework: Framework::NodeTest,
        counts: (2, 0, 0),
        says: "",
    },
    Case {
        name: "a-command-of-mayfly-toml",
        app: FLASK,
        tests: &[
            ("checks/test_it.py", "def test_a():\n    pass\n"),
            ("mayfly.toml", "[tests]\ncommand = \"pytest checks\"\n"),
        ],
        verdict: SuiteVerdict::Passed,
        framework: Framework::Pytest,
        counts: (1, 0, 0),
        says: "",
    },
];

/// Names of all tests of this file, each with what runs it.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    CASES.iter().map(|case| case.name)
}

/// Runs the test of this name.
pub(crate) async fn run(bench: &Bench, name: &str) -> Result<(), String> {
    let case = CASES.iter().find(|case| case.name == name);
    let case = case.ok_or("there is no such test")?;
    let files = [case.app, case.tests].concat();
    let folder = bench.folder_of(&files);
    let (built, heard) = bench.build(&folder, &BTreeMap::new()).await;
    let built = built.map_err(|failure| format!("{failure:#?}\n{:#?}", heard.lines()))?;
    let (tested, heard) = bench.test(&folder, &built, &built.pins).await;
    let tested = tested.map_err(|failure| format!("{failure:#?}\n{:#?}", heard.lines()))?;
    fits(case, &tested.report).map_err(|why| format!("{why}\n{:#?}", heard.lines()))?;
    bench.stays_as_built(&folder, &built).await
}

fn fits(case: &Case, report: &TestReport) -> Result<(), String> {
    let [suite] = report.suites.as_slice() else {
        return Err(format!("not one suite: {report:#?}"));
    };
    let (passed, failed, skipped) = case.counts;
    let expected = Counts {
        passed,
        failed,
        skipped,
    };
    let shown = seen(report, suite);
    let fits = report.verdict() == case.verdict
        && suite.framework == case.framework
        && suite.counts() == expected
        && shown.contains(case.says);
    match fits {
        true => Ok(()),
        false => Err(format!("{:?}: {report:#?}\n{shown}", report.verdict())),
    }
}

/// All that a person may be shown.
fn seen(report: &TestReport, suite: &Suite) -> String {
    let failure = report.failure();
    let findings = report.findings();
    let rules: Vec<&str> = findings.iter().map(|it| it.rule_id.as_str()).collect();
    format!("{}\n{rules:?}\n{failure:#?}", suite.summary())
}

/// The second run of the tests has its packages from the first, and an app without tests asks for
/// nothing.
pub(crate) async fn what_tests_need_is_kept(bench: &Bench) -> Result<(), String> {
    let test = ("test_app.py", "def test_a():\n    pass\n");
    let folder = bench.folder_of(&[FLASK, &[test]].concat());
    let (built, _) = bench.build(&folder, &BTreeMap::new()).await;
    let built = built.map_err(|failure| format!("{failure:#?}"))?;
    let (first, _) = bench.test(&folder, &built, &built.pins).await;
    let first = first.map_err(|failure| format!("{failure:#?}"))?;
    let mut pins = built.pins.clone();
    pins.extend(first.pins.clone());
    let (second, heard) = bench.test(&folder, &built, &pins).await;
    let second = second.map_err(|failure| format!("{failure:#?}"))?;
    let steps: Vec<String> = heard.lines();
    if second.pins != first.pins || steps.iter().any(|line| line.starts_with("> resolve")) {
        return Err(format!("it was resolved again: {steps:#?}"));
    }
    let layers = built.image.layers.iter();
    for layer in layers {
        let folder = bench.builder.layer(layer).await;
        let folder = folder.map_err(|failure| failure.to_string())?;
        if folder.join("opt/tests").exists() {
            return Err("the image has what tests need".into());
        }
    }
    let bare = bench.folder_of(FLASK);
    match bench.test_input(&bare, &built)? {
        None => Ok(()),
        Some(_) => Err("an app without tests has some".into()),
    }
}

/// Equal inputs have an equal digest, and everything that decides about the end changes it.
pub(crate) async fn the_identity_of_tests(bench: &Bench) -> Result<(), String> {
    let files = |test: &'static str, toml: &'static str| {
        let more = [("test_app.py", test), ("mayfly.toml", toml)];
        [FLASK, &more].concat()
    };
    let folder = bench.folder_of(&files("def test_a(): pass\n", ""));
    let (built, _) = bench.build(&folder, &BTreeMap::new()).await;
    let built = built.map_err(|failure| format!("{failure:#?}"))?;
    let digest = bench.test_input(&folder, &built)?;
    let same = bench.test_input(&bench.folder(&folder), &built)?;
    let test = bench.folder_of(&files("def test_b(): pass\n", ""));
    let limit = bench.folder_of(&files("def test_a(): pass\n", "[tests]\ntimeout = 3\n"));
    let env = bench.folder_of(&files("def test_a(): pass\n", "[env]\nA = \"1\"\n"));
    if digest.is_none() || digest != same {
        return Err("equal inputs have other digests".into());
    }
    for other in [test, limit, env] {
        if bench.test_input(&other, &built)? == digest {
            return Err(format!("{} changes nothing", other.display()));
        }
    }
    Ok(())
}

/// Examples that have tests pass them; looking for some costs the others next to nothing.
pub(crate) async fn of_example(bench: &Bench, folder: &Path, built: &Built) -> Result<(), String> {
    let began = Instant::now();
    let input = bench.test_input(folder, built)?;
    println!(
        "    looked for tests in {:.4} s",
        began.elapsed().as_secs_f64()
    );
    if input.is_none() {
        return Ok(());
    }
    let (tested, heard) = bench.test(folder, built, &built.pins).await;
    let tested = tested.map_err(|failure| format!("{failure:#?}"))?;
    let report = &tested.report;
    for suite in &report.suites {
        println!("    {}", suite.summary());
    }
    match report.verdict() {
        SuiteVerdict::Passed if report.passed() >= 3 => Ok(()),
        _ => Err(format!("{report:#?}\n{:#?}", heard.lines())),
    }
}

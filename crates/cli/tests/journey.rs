//! What a creator does from day to day, through the real binary.

use testkit::answer::Ask;
use testkit::{AppFolder, Bench};

const MAYFLY: &str = env!("CARGO_BIN_EXE_mayfly");

/// A counter in SQLite, as language models write one: the database lies beside the code, and the
/// table is made at start.
const COUNTER: &str = r#"
import http.server, os, sqlite3, sys
db = sqlite3.connect("counter.db", check_same_thread=False)
db.execute("create table if not exists visits (n integer)")
db.commit()

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        db.execute("insert into visits values (1)")
        db.commit()
        self.answer()
    def do_GET(self):
        self.answer()
    def answer(self):
        count = db.execute("select count(*) from visits").fetchone()[0]
        body = f"counter A: {count} visits".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

print("the counter begins", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", 5000), Handler).serve_forever()
"#;

fn site(name: &str) -> AppFolder {
    AppFolder::new(
        name,
        &[
            ("index.html", "<h1>version A</h1>"),
            ("style.css", "h1 { color: teal }"),
        ],
    )
}

#[test]
fn a_folder_becomes_an_app_and_the_same_folder_again_changes_nothing() {
    let bench = Bench::start(MAYFLY);
    let folder = site("shop");
    let first = bench.up(&folder).promoted();
    assert_eq!(first.release.map(|release| release.get()), Some(1));
    assert_eq!(bench.get("shop", "/").text(), "<h1>version A</h1>");
    let again = bench.up(&folder);
    assert_eq!(
        (again.code, again.result().outcome.as_str()),
        (0, "unchanged")
    );
    assert_eq!(again.result().digest, first.digest);
}

#[test]
fn an_edit_makes_a_release_and_each_has_a_url_of_its_own() {
    let bench = Bench::start(MAYFLY);
    let folder = site("shop");
    bench.up(&folder).promoted();
    folder.edit("index.html", "version A", "version B");
    let second = bench.up(&folder).promoted();
    assert_eq!(second.release.map(|release| release.get()), Some(2));
    assert_eq!(bench.get("shop", "/").text(), "<h1>version B</h1>");
    assert_eq!(bench.get("r1-shop", "/").text(), "<h1>version A</h1>");
    assert_eq!(bench.get("r2-shop", "/").text(), "<h1>version B</h1>");
}

#[test]
fn the_same_folder_gives_the_same_digest_on_another_machine() {
    let (one, two) = (Bench::start(MAYFLY), Bench::start(MAYFLY));
    let (here, there) = (
        AppFolder::new("counter", &[("app.py", COUNTER)]),
        AppFolder::new("counter", &[("app.py", COUNTER)]),
    );
    assert_eq!(
        one.up(&here).promoted().digest,
        two.up(&there).promoted().digest
    );
}

#[test]
fn the_last_line_for_people_is_the_url_alone() {
    let bench = Bench::start(MAYFLY);
    let folder = site("shop");
    let up = bench
        .mayfly(&["up", folder.path().to_str().expect("UTF-8")])
        .ok();
    assert_eq!(
        up.stdout.trim(),
        format!("http://shop.localhost:{}", bench.edge().port())
    );
}

#[test]
fn the_local_url_needs_no_name_resolution() {
    let bench = Bench::start(MAYFLY);
    let result = bench.up(&site("shop")).promoted();
    let address = result
        .local_url
        .strip_prefix("http://")
        .expect("a plain URL");
    let answer = Ask::get(address, "/")
        .send(address.parse().expect("an address"))
        .expect("an answer");
    assert_eq!(answer.text(), "<h1>version A</h1>");
}

#[test]
fn a_database_survives_new_releases_rollbacks_and_restarts() {
    let mut bench = Bench::start(MAYFLY);
    let folder = AppFolder::new("counter", &[("app.py", COUNTER)]);
    bench.up(&folder).promoted();
    let visit = |bench: &Bench| {
        bench
            .ask(&Ask {
                method: "POST",
                ..Ask::get("counter.localhost", "/")
            })
            .text()
    };
    assert_eq!(visit(&bench), "counter A: 1 visits");
    folder.edit("app.py", "counter A", "counter B");
    bench.up(&folder).promoted();
    assert_eq!(visit(&bench), "counter B: 2 visits");
    folder.edit("app.py", "counter B", "counter C");
    bench.up(&folder).promoted();
    assert_eq!(visit(&bench), "counter C: 3 visits");
    bench.mayfly(&["rollback", "counter"]).ok();
    assert_eq!(visit(&bench), "counter B: 4 visits");
    bench.mayfly(&["rollback", "counter", "--to", "1"]).ok();
    assert_eq!(visit(&bench), "counter A: 5 visits");
    bench.mayfly(&["stop"]).ok();
    bench.daemon_ended();
    bench.serve();
    let seen = testkit::eventually(
        "the app is back",
        std::time::Duration::from_secs(20),
        || {
            let answer = bench.get("counter", "/");
            (answer.status == 200).then(|| answer.text())
        },
    );
    assert_eq!(seen, "counter A: 5 visits");
}

#[test]
fn a_destroyed_app_comes_back_with_its_data() {
    let bench = Bench::start(MAYFLY);
    let folder = AppFolder::new("counter", &[("app.py", COUNTER)]);
    bench.up(&folder).promoted();
    bench.ask(&Ask {
        method: "POST",
        ..Ask::get("counter.localhost", "/")
    });
    assert_eq!(
        bench.mayfly(&["destroy", "counter", "--json"]).code,
        2,
        "it needs --confirm-destructive"
    );
    bench
        .mayfly(&["destroy", "counter", "--confirm-destructive"])
        .ok();
    assert_eq!(bench.get("counter", "/").status, 404);
    bench.mayfly(&["restore", "counter"]).ok();
    assert_eq!(bench.get("counter", "/").text(), "counter A: 1 visits");
}

#[test]
fn logs_have_what_the_app_printed() {
    let bench = Bench::start(MAYFLY);
    let folder = AppFolder::new("counter", &[("app.py", COUNTER)]);
    bench.up(&folder).promoted();
    let logs = bench.mayfly(&["logs", "counter"]).ok();
    assert!(
        logs.stdout.contains("the counter begins"),
        "{}",
        logs.stdout
    );
}

#[test]
fn status_says_what_is_kept_and_what_will_be_lost() {
    let bench = Bench::start(MAYFLY);
    let program = COUNTER.replace("print(", "open('notes.txt', 'w').write('x')\nprint(");
    let folder = AppFolder::new("counter", &[("app.py", &program)]);
    bench.up(&folder).promoted();
    let status = bench.mayfly(&["status", "counter", "--json"]).ok().json();
    assert_eq!(
        status["will_be_kept"],
        serde_json::json!(["counter.db"]),
        "{status}"
    );
    assert_eq!(
        status["will_be_lost"],
        serde_json::json!(["notes.txt"]),
        "{status}"
    );
    let told = bench.mayfly(&["status", "counter"]).ok();
    let told = told.stdout + &told.stderr;
    assert!(
        told.contains("keep = [") && told.contains("notes.txt"),
        "{told}"
    );
}

#[test]
fn what_an_app_was_denied_is_shown_with_the_line_to_add() {
    let bench = Bench::start(MAYFLY);
    let asks = "import urllib.request\ntry:\n    urllib.request.urlopen('https://api.example.com/', timeout=5)\nexcept Exception as error:\n    print('denied:', error, flush=True)\n";
    let folder = AppFolder::new("counter", &[("app.py", &format!("{asks}{COUNTER}"))]);
    bench.up(&folder).promoted();
    let status = bench.mayfly(&["status", "counter", "--json"]).ok().json();
    assert!(
        status["denied"].to_string().contains("api.example.com"),
        "{status}"
    );
    let told = bench.mayfly(&["status", "counter"]).ok();
    let told = told.stdout + &told.stderr;
    assert!(
        told.contains("[egress]") && told.contains("allow = [\"api.example.com\"]"),
        "{told}"
    );
}

#[test]
fn secrets_reach_the_app_and_never_the_image() {
    let bench = Bench::start(MAYFLY);
    let program = COUNTER.replace("counter A", "{os.environ.get('API_KEY')}");
    let folder = AppFolder::new(
        "counter",
        &[("app.py", &program), (".env", "API_KEY=from-the-folder\n")],
    );
    let env = AppFolder::new("secrets", &[("values.env", "API_KEY=hunter2\n")]);
    let file = env.path().join("values.env");
    bench
        .up_with(&folder, &["--env-file", file.to_str().expect("UTF-8")])
        .promoted();
    assert_eq!(bench.get("counter", "/").text(), "hunter2: 0 visits");
    let leaked = std::process::Command::new("grep")
        .args(["-rl", "from-the-folder"])
        .arg(bench.home())
        .output()
        .expect("grep");
    assert_eq!(
        String::from_utf8_lossy(&leaked.stdout),
        "",
        "the .env file went into the home"
    );
}

#[test]
fn an_app_that_keeps_more_than_it_may_is_stopped_and_told() {
    let bench = Bench::start(MAYFLY);
    let hoard = COUNTER.replace(
        "print(",
        "os.makedirs('data', exist_ok=True)\nopen('data/hoard.bin', 'wb').write(bytes(3_000_000))\nprint(",
    );
    let settings = "[run]\ndata = \"1 MiB\"\n";
    let folder = AppFolder::new(
        "hoarder",
        &[
            ("app.py", &hoard),
            ("data/.keep", ""),
            ("mayfly.toml", settings),
        ],
    );
    bench.up(&folder).promoted();
    let told = testkit::eventually("it is stopped", std::time::Duration::from_secs(90), || {
        let status = bench.mayfly(&["status", "hoarder", "--json"]).ok().json();
        let told = status["notices"].to_string();
        told.contains("may hold 1 MiB").then_some(told)
    });
    assert!(told.contains("data ="), "{told}");
    assert_eq!(bench.get("hoarder", "/").status, 503);
    folder.write("mayfly.toml", "[run]\ndata = \"10 MiB\"\n");
    bench.up(&folder).promoted();
    assert_eq!(bench.get("hoarder", "/").status, 200);
}

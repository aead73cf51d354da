//! kill -9 in the middle of an upload: what came stays, and the client goes on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use model::Digest;
use server::registry::Anonymous;
use store::registry::Limits;

use crate::front::{Front, Home, base64};

/// Where the process serves that is killed.
const PLACE: &str = "MAYFLY_REGISTRY_TEST_HOME";

/// The process that is killed: this test, started again by the other one. Without a place it has
/// nothing to do.
#[tokio::test]
async fn a_registry_serves_in_a_process_of_its_own() {
    let Some(home) = std::env::var_os(PLACE) else {
        return;
    };
    let home = PathBuf::from(home).join("registry");
    std::fs::create_dir_all(&home).expect("a folder");
    let front = Front::open(Home::Kept(home), Limits::default(), Anonymous::Refused).await;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    println!("serves {port} {}", front.secret());
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let served = server::registry::serve(listener, front.state(), stopped).await;
    served.expect("served until it is killed");
}

/// A registry in a process of its own.
struct Served {
    process: Child,
    port: u16,
    secret: String,
}

impl Served {
    fn start(home: &Path) -> Self {
        let itself = std::env::current_exe().expect("this test");
        let mut process = Command::new(itself)
            .args([
                "--exact",
                "crash::a_registry_serves_in_a_process_of_its_own",
                "--nocapture",
            ])
            .env(PLACE, home)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let mut lines = lines.map_while(Result::ok);
        let line = lines
            .find_map(|line| Some(line.split_once("serves ")?.1.to_owned()))
            .expect("it says where");
        let (port, secret) = line.split_once(' ').expect("two words");
        Self {
            process,
            port: port.parse().expect("a port"),
            secret: secret.to_owned(),
        }
    }

    fn kill(mut self) {
        self.process.kill().expect("SIGKILL");
        self.process.wait().expect("waited for");
    }

    /// Sends a request's head and the beginning of its body; the connection is left open.
    fn send(&self, head: &str, body: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connected");
        let basic = base64(format!("me:{}", self.secret).as_bytes());
        let (line, rest) = head.split_once('\n').unwrap_or((head, ""));
        write!(
            stream,
            "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Basic {basic}\r\n{rest}\r\n"
        )
        .expect("sent");
        stream.write_all(body).expect("sent");
        stream
    }

    fn ask(&self, head: &str, body: &[u8]) -> String {
        let mut answer = Vec::new();
        let mut stream = self.send(head, body);
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

fn header(answer: &str, name: &str) -> String {
    let line = answer.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name}: {answer}"))
        .trim()
        .to_owned()
}

#[test]
fn an_upload_that_a_kill_cut_in_half_goes_on_where_it_was() {
    let home = tempfile::tempdir().expect("a folder");
    let content: Vec<u8> = (0..6_000_000u32).map(|n| (n / 3) as u8).collect();
    let served = Served::start(home.path());
    let begun = served.ask("POST /v2/a/blobs/uploads/\nContent-Length: 0\r\n", b"");
    let upload = header(&begun, "location:");
    let abandoned = served.ask("POST /v2/a/blobs/uploads/\nContent-Length: 0\r\n", b"");
    let abandoned = header(&abandoned, "location:");
    let head = format!("PATCH {upload}\nContent-Length: {}\r\n", content.len());
    let half = served.send(&head, &content[..content.len() / 2]);
    // Something has reached the file, and the rest never comes.
    let file = || std::fs::read_dir(home.path().join("registry/uploads")).expect("a folder");
    while !file().any(|entry| entry.expect("an entry").metadata().expect("its size").len() > 0) {
        std::thread::yield_now();
    }
    served.kill();
    drop(half);

    let served = Served::start(home.path());
    let status = served.ask(&format!("GET {upload}\n"), b"");
    assert!(status.starts_with("HTTP/1.1 204"), "{status}");
    let range = header(&status, "range:");
    let came: usize = range
        .strip_prefix("0-")
        .expect(&range)
        .parse()
        .expect("a number");
    let rest = &content[came + 1..];
    let head = format!(
        "PUT {upload}?digest={}\nContent-Range: {}-{}\r\nContent-Length: {}\r\n",
        Digest::of(&content),
        came + 1,
        content.len() - 1,
        rest.len()
    );
    let put = served.ask(&head, rest);
    assert!(put.starts_with("HTTP/1.1 201"), "{put}");
    let cancelled = served.ask(&format!("DELETE {abandoned}\n"), b"");
    assert!(cancelled.starts_with("HTTP/1.1 204"), "{cancelled}");
    assert_eq!(file().count(), 0, "nothing is left over");
    served.kill();
}

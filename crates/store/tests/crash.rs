//! kill -9 at any moment loses nothing that was acknowledged.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::app::{App, Owner};
use model::run::{Run, RunId};
use model::{AppName, Digest, Timestamp};
use ports::blob_store::BlobStore;
use ports::ledger::{Change, Ledger};
use store::{DiskBlobs, SqliteLedger};

/// Where the writer writes when another process means to kill it.
const PLACE: &str = "MAYFLY_CRASH_TEST_HOME";
/// How often the writer is killed.
const KILLS: u32 = 28;
/// What the writer writes when nobody kills it.
const ROUNDS_IN_PEACE: u64 = 20;

/// Both stores of one home.
struct Home {
    blobs: DiskBlobs,
    ledger: SqliteLedger,
}

impl Home {
    async fn open(folder: &Path) -> Self {
        Self {
            blobs: DiskBlobs::open(&folder.join("blobs")).expect("blobs"),
            ledger: SqliteLedger::open(&folder.join("ledger.db"))
                .await
                .expect("a ledger"),
        }
    }

    /// Writes one round, and prints each line once its writing is acknowledged.
    async fn write(&self, app: &AppName, round: u64) {
        let content = |n: u64| Bytes::from(format!("{round} {n} ").repeat(90 * n as usize + 1));
        let single = self.blobs.put(content(0)).await.expect("kept");
        say(&format!("blob {single}"));
        // Above and below the number from which all are flushed at once.
        let many = (1..=4 + round % 12).map(|n| (None, content(n))).collect();
        for digest in self.blobs.put_all(many).await.expect("kept") {
            say(&format!("blob {digest}"));
        }
        let now = Timestamp::now();
        let run = Run {
            id: RunId::new(now),
            app: app.clone(),
            owner: Owner { uid: 1 },
            snapshot: single,
            started_at: now,
            settled: None,
        };
        let held = Change::BlobsHeld {
            holder: format!("run:{}", run.id),
            digests: vec![single],
            rule: String::new(),
        };
        let id = run.id;
        let told = self.ledger.record(now, vec![Change::RunStarted(run), held]);
        for event in told.await.expect("recorded") {
            say(&format!(
                "event {} {}",
                event.seq,
                Digest::of(&event.canonical_bytes())
            ));
        }
        say(&format!("run {id} {single}"));
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ack {line}")
        .and_then(|()| out.flush())
        .expect("said");
}

fn shop() -> App {
    App {
        name: "shop".parse().expect("a good name"),
        owner: Owner { uid: 1 },
        folder: "/home/someone/shop".into(),
        local_port: 4000,
        uid_slot: 1,
        created_at: Timestamp::UNIX_EPOCH,
        stable: None,
        destroyed_at: None,
    }
}

/// Writes rounds, the first of them numbered so that no earlier process has written it.
async fn write_rounds(folder: &Path, rounds: u64) {
    let home = Home::open(folder).await;
    let shop = shop();
    if home
        .ledger
        .app(&shop.name)
        .await
        .expect("an answer")
        .is_none()
    {
        let created = vec![Change::AppCreated(shop.clone())];
        home.ledger
            .record(Timestamp::now(), created)
            .await
            .expect("recorded");
    }
    let first = home.blobs.list().await.expect("a list").len() as u64;
    for round in (first..).take(usize::try_from(rounds).unwrap_or(usize::MAX)) {
        home.write(&shop.name, round).await;
    }
}

/// The process that is killed: this test, started again by the other one with a place to write.
#[tokio::test]
async fn a_writer_in_peace_writes_what_it_acknowledges() {
    if let Some(folder) = std::env::var_os(PLACE) {
        return write_rounds(&PathBuf::from(folder), u64::MAX).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    write_rounds(folder.path(), ROUNDS_IN_PEACE).await;
    let home = Home::open(folder.path()).await;
    let runs = home.ledger.unsettled_runs().await.expect("runs").len() as u64;
    assert_eq!(runs, ROUNDS_IN_PEACE);
    let events = home.ledger.events(0, 1000).await.expect("events").len() as u64;
    assert_eq!(events, ROUNDS_IN_PEACE + 1);
}

/// When the writer is killed.
enum Moment {
    /// So long after its start: perhaps while it opens its stores.
    AfterStart(Duration),
    /// So long after its first acknowledgement.
    AfterFirstWord(Duration),
}

/// Starts the writer, kills it, and returns what it had acknowledged.
fn killed_writer(folder: &Path, moment: &Moment) -> Vec<String> {
    let itself = std::env::current_exe().expect("this test");
    let mut writer = Command::new(itself)
        .args([
            "--exact",
            "a_writer_in_peace_writes_what_it_acknowledges",
            "--nocapture",
        ])
        .env(PLACE, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let out = BufReader::new(writer.stdout.take().expect("a pipe"));
    let (first_word, spoke) = mpsc::channel();
    let reading = std::thread::spawn(move || {
        let lines = out.lines().map_while(Result::ok);
        let words = lines.filter_map(|line| Some(line.strip_prefix("ack ")?.to_owned()));
        let told = words.inspect(|_| {
            // Nobody listens after the first one.
            let _ = first_word.send(());
        });
        told.collect::<Vec<_>>()
    });
    match moment {
        Moment::AfterStart(life) => std::thread::sleep(*life),
        Moment::AfterFirstWord(life) => {
            spoke
                .recv_timeout(Duration::from_secs(60))
                .expect("it writes");
            std::thread::sleep(*life);
        }
    }
    writer.kill().expect("SIGKILL");
    let ended = writer.wait().expect("waited for");
    assert!(!ended.success(), "the writer had ended by itself");
    reading.join().expect("read")
}

/// Compares a home with what was acknowledged in it.
async fn check(folder: &Path, acknowledged: &BTreeSet<String>) {
    let home = Home::open(folder).await;
    let leftovers = std::fs::read_dir(folder.join("blobs/tmp")).expect("a folder");
    assert_eq!(leftovers.count(), 0);
    let events = home.ledger.events(0, u32::MAX).await.expect("events");
    for (event, seq) in events.iter().zip(1..) {
        assert_eq!(event.seq, seq, "a gap");
    }
    let held: BTreeSet<_> = home
        .ledger
        .held_blobs()
        .await
        .expect("holds")
        .into_iter()
        .collect();
    let runs = home.ledger.unsettled_runs().await.expect("runs");
    let runs: BTreeSet<_> = runs.iter().map(|run| run.id.to_string()).collect();
    let apps = home.ledger.apps().await.expect("apps").len();
    assert_eq!(
        runs.len() + apps,
        events.len(),
        "each change with its event"
    );
    assert_eq!(runs.len(), held.len(), "each run with its references");
    for line in acknowledged {
        let words: Vec<_> = line.split(' ').collect();
        match words[..] {
            ["blob", digest] => {
                let digest = digest.parse().expect("a digest");
                home.blobs.get(&digest).await.expect("acknowledged");
            }
            ["event", seq, digest] => {
                let seq: usize = seq.parse().expect("a number");
                let bytes = events[seq - 1].canonical_bytes();
                assert_eq!(Digest::of(&bytes).to_string(), digest);
            }
            ["run", id, digest] => {
                assert!(runs.contains(id), "{line}");
                assert!(held.contains(&digest.parse().expect("a digest")), "{line}");
            }
            _ => panic!("{line}"),
        }
    }
}

/// Reads every blob that has a name, acknowledged or not.
async fn whole(folder: &Path) {
    let blobs = DiskBlobs::open(&folder.join("blobs")).expect("blobs");
    for info in blobs.list().await.expect("a list") {
        blobs.get(&info.digest).await.expect("whole");
    }
}

#[tokio::test]
async fn a_process_that_is_killed_at_any_moment_loses_nothing_it_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged = BTreeSet::new();
    let started = Instant::now();
    for kill in 0..KILLS {
        // A different moment each time, in no order.
        let spread = Duration::from_millis(u64::from(kill * 37 % 127));
        let moment = match kill % 4 {
            0 => Moment::AfterStart(spread),
            _ => Moment::AfterFirstWord(spread),
        };
        let new = killed_writer(folder.path(), &moment).into_iter().collect();
        check(folder.path(), &new).await;
        acknowledged.extend(new);
    }
    check(folder.path(), &acknowledged).await;
    whole(folder.path()).await;
    let (count, time) = (acknowledged.len(), started.elapsed());
    println!("{KILLS} kills, {count} acknowledged, {time:?}");
    assert!(count >= 20, "too little was written to tell");
}

//! Build jobs.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use model::instance::Exit;
use model::limits::{BuildLimits, MIB};
use model::progress::Stream;
use ports::workshop::{Access, Bind, Job, JobEnd, JobReport, Network, Workshop};

use crate::support::{Room, base, until};

pub(crate) fn job(command: &[&str]) -> Job {
    Job {
        layers: vec![base()],
        binds: Vec::new(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        workdir: "/".into(),
        network: Network::None,
        limits: BuildLimits {
            memory_bytes: 128 * MIB,
            seconds: 60,
            disk_bytes: 64 * MIB,
            pids: 64,
        },
    }
}

impl Room {
    pub(crate) async fn job(&self, job: Job) -> (JobReport, Vec<(Stream, String)>) {
        let lines = Mutex::new(Vec::new());
        let sink =
            |stream, text: &str| lines.lock().expect("lines").push((stream, text.to_owned()));
        let report = self.sandboxes.run(job, &sink).await.expect("a report");
        (report, lines.into_inner().expect("lines"))
    }

    fn writable(&self, name: &str) -> Bind {
        std::fs::create_dir(self.path(name)).expect("a folder");
        Bind {
            source: self.path(name),
            target: "/out".into(),
            access: Access::Write,
        }
    }

    fn leftovers(&self) -> usize {
        std::fs::read_dir(self.path("jobs")).expect("jobs").count()
    }
}

#[tokio::test]
async fn a_job_prints_writes_and_leaves_files_to_root() {
    let room = Room::new();
    let script = "id -u; echo trouble >&2; mkdir /out/d; echo x > /out/d/f; chmod 6755 /out/d/f; \
                  ln -s /etc/shadow /out/link; exit 3";
    let mut wanted = job(&["sh", "-c", script]);
    wanted.binds.push(room.writable("out"));
    let (report, lines) = room.job(wanted).await;
    assert_eq!(report.end, JobEnd::Exit(Exit::Code { code: 3 }));
    assert!(
        lines.contains(&(Stream::Stdout, "1000".to_owned())),
        "{lines:?}"
    );
    assert!(
        lines.contains(&(Stream::Stderr, "trouble".to_owned())),
        "{lines:?}"
    );
    for (path, mode) in [("out", 0o755), ("out/d", 0o755), ("out/d/f", 0o755)] {
        let file = std::fs::symlink_metadata(room.path(path)).expect(path);
        assert_eq!((file.uid(), file.gid()), (0, 0), "{path}");
        assert_eq!(file.mode() & 0o7777, mode, "{path}");
    }
    let shadow = std::fs::metadata("/etc/shadow").expect("it is there");
    assert_eq!(shadow.uid(), 0, "a planted link is not followed");
    assert_eq!(room.leftovers(), 0);
}

#[tokio::test]
async fn a_job_sees_read_only_binds_and_cannot_write_them() {
    let room = Room::new();
    std::fs::create_dir(room.path("in")).expect("a folder");
    std::fs::write(room.path("in/f"), "given\n").expect("a file");
    let mut wanted = job(&["sh", "-c", "cat /opt/in/f; echo no > /opt/in/f"]);
    wanted.binds.push(Bind {
        source: room.path("in"),
        target: "/opt/in".into(),
        access: Access::Read,
    });
    let (report, lines) = room.job(wanted).await;
    assert_eq!(lines[0], (Stream::Stdout, "given".to_owned()));
    assert!(!report.succeeded());
    assert_eq!(
        std::fs::read_to_string(room.path("in/f")).expect("a file"),
        "given\n"
    );
}

#[tokio::test]
async fn a_job_that_takes_too_long_is_ended() {
    let room = Room::new();
    let mut wanted = job(&["sleep", "600"]);
    wanted.limits.seconds = 1;
    let before = Instant::now();
    let (report, _) = room.job(wanted).await;
    assert_eq!(report.end, JobEnd::TimedOut);
    assert!(before.elapsed() < Duration::from_secs(10));
    assert_eq!(room.leftovers(), 0);
}

#[tokio::test]
async fn a_job_that_fills_the_disk_is_ended() {
    let room = Room::new();
    let mut wanted = job(&[
        "python3",
        "-c",
        "
f = open('/out/big', 'wb')
while True:
    f.write(b'x' * 1000000); f.flush()
",
    ]);
    wanted.limits.disk_bytes = 8 * MIB;
    wanted.binds.push(room.writable("out"));
    let (report, _) = room.job(wanted).await;
    assert_eq!(report.end, JobEnd::DiskLimit);
}

#[tokio::test]
async fn a_job_that_eats_memory_is_told_apart() {
    let room = Room::new();
    let mut wanted = job(&["python3", "-c", "x = bytearray(500_000_000)"]);
    wanted.limits.memory_bytes = 64 * MIB;
    let (report, _) = room.job(wanted).await;
    assert_eq!(report.end, JobEnd::Exit(Exit::OutOfMemory));
}

#[tokio::test]
async fn a_job_whose_command_is_missing_says_so() {
    let room = Room::new();
    let sink = |_: Stream, _: &str| {};
    let failed = room.sandboxes.run(job(&["no-such-tool", "x"]), &sink).await;
    let failure = failed.expect_err("it cannot run").to_string();
    assert!(
        failure.contains("`no-such-tool x` cannot be run: No such file"),
        "{failure}"
    );
    assert_eq!(room.leftovers(), 0);
}

#[tokio::test]
async fn dropping_a_job_kills_it() {
    let room = Room::new();
    let wanted = job(&["sh", "-c", "echo begun; sleep 600"]);
    let (told, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let sandboxes = room.sandboxes.clone();
    let task = tokio::spawn(async move {
        let sink = |_: Stream, _: &str| {
            let _ = told.send(());
        };
        sandboxes.run(wanted, &sink).await
    });
    begun.recv().await.expect("it runs");
    task.abort();
    until(async || room.leftovers() == 0).await;
}

#[tokio::test]
async fn a_job_asks_the_proxy_and_what_was_denied_is_reported() {
    let room = Room::new();
    let script = "
import os, urllib.request
try:
    urllib.request.urlopen('http://example.invalid/')
except Exception as e:
    print(type(e).__name__, os.environ['HTTP_PROXY'])
";
    let mut wanted = job(&["python3", "-c", script]);
    wanted.network = Network::Only(vec!["elsewhere.invalid".to_owned()]);
    let (report, lines) = room.job(wanted).await;
    assert!(report.succeeded(), "{lines:?}");
    assert_eq!(lines[0].1, "HTTPError http://127.88.0.1:3128");
    assert_eq!(report.denied.len(), 1);
    assert_eq!(report.denied[0].host, "example.invalid");
}

#[tokio::test]
async fn a_job_adds_little_to_its_commands_own_time() {
    let room = Room::new();
    room.job(job(&["true"])).await;
    let mut times = Vec::new();
    for _ in 0..10 {
        let before = Instant::now();
        let (report, _) = room.job(job(&["true"])).await;
        assert!(report.succeeded());
        times.push(before.elapsed());
    }
    times.sort();
    println!(
        "a job takes {:?} to {:?}, median {:?}",
        times[0], times[9], times[5]
    );
    assert!(times[5] < Duration::from_secs(1), "{times:?}");
}

//! What every workshop does. `workshop_contract!` makes a test of each sentence.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use model::instance::Exit;
use model::limits::{BuildLimits, MIB};
use model::progress::Stream;

use super::{Access, Bind, Job, JobEnd, JobReport, Network, Workshop};

/// Makes a test of each sentence of the workshop's contract.
///
/// `$make` is an async function without arguments; it returns a [`Ground`], and whatever must live
/// as long.
#[macro_export]
macro_rules! workshop_contract {
    ($make:path) => {
        $crate::contract_tests! { $make, $crate::workshop::contract,
            lines_arrive_in_order_with_their_stream
            the_exit_status_is_told
            a_command_that_is_missing_is_told_by_its_name
            the_environment_and_the_folder_are_the_jobs_own
            what_it_may_write_is_written_and_the_rest_is_not
            jobs_beside_each_other_do_not_meet
            a_job_ends_when_its_time_is_up
        }
    };
}

/// A workshop under test, and where to try it.
pub struct Ground {
    /// The workshop.
    pub workshop: Box<dyn Workshop>,
    /// Layers with a POSIX shell, `cat` and `sleep`.
    pub base: Vec<PathBuf>,
    /// An empty folder on the machine.
    pub room: PathBuf,
}

impl Ground {
    fn script(&self, script: &str) -> Job {
        Job {
            layers: self.base.clone(),
            binds: Vec::new(),
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            env: BTreeMap::from([("PATH".into(), "/usr/bin:/bin".into())]),
            workdir: "/".into(),
            network: Network::None,
            limits: BuildLimits {
                memory_bytes: 64 * MIB,
                seconds: 60,
                disk_bytes: 64 * MIB,
                pids: 64,
            },
        }
    }

    async fn run(&self, job: Job) -> (JobReport, Vec<(Stream, String)>) {
        let lines = Mutex::new(Vec::new());
        let sink = |stream, text: &str| {
            let mut lines = lines.lock().expect("lines");
            lines.push((stream, text.to_owned()));
        };
        let report = self.workshop.run(job, &sink).await.expect("a report");
        (report, lines.into_inner().expect("lines"))
    }

    fn bind(&self, name: &str, access: Access) -> Bind {
        let source = self.room.join(name);
        std::fs::create_dir_all(&source).expect("a folder");
        Bind {
            source,
            target: PathBuf::from("/work").join(name),
            access,
        }
    }
}

#[expect(missing_docs, reason = "the names are the sentences of the contract")]
mod sentences {
    use super::*;

    pub async fn lines_arrive_in_order_with_their_stream(ground: &Ground) {
        let (_, lines) = ground
            .run(ground.script("echo 1; echo 2; echo oh >&2"))
            .await;
        let out: Vec<_> = lines
            .iter()
            .filter(|(stream, _)| *stream == Stream::Stdout)
            .map(|(_, text)| text.as_str())
            .collect();
        assert_eq!(out, ["1", "2"]);
        assert!(
            lines.contains(&(Stream::Stderr, "oh".to_owned())),
            "{lines:?}"
        );
    }

    pub async fn the_exit_status_is_told(ground: &Ground) {
        for (script, exit) in [
            ("exit 0", Exit::Code { code: 0 }),
            ("exit 9", Exit::Code { code: 9 }),
            ("kill -15 $$", Exit::Signal { signal: 15 }),
        ] {
            let (report, _) = ground.run(ground.script(script)).await;
            assert_eq!(report.end, JobEnd::Exit(exit), "{script}");
        }
    }

    pub async fn a_command_that_is_missing_is_told_by_its_name(ground: &Ground) {
        let mut job = ground.script("");
        job.command = vec!["no-such-program".into()];
        let sink = |_: Stream, _: &str| {};
        let failure = ground.workshop.run(job, &sink).await.expect_err("no start");
        assert!(failure.to_string().contains("no-such-program"), "{failure}");
    }

    pub async fn the_environment_and_the_folder_are_the_jobs_own(ground: &Ground) {
        let mut job = ground.script("echo $NAME; pwd");
        job.env.insert("NAME".into(), "value".into());
        job.workdir = "/made/for/it".into();
        let (_, lines) = ground.run(job).await;
        let texts: Vec<_> = lines.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["value", "/made/for/it"]);
    }

    pub async fn what_it_may_write_is_written_and_the_rest_is_not(ground: &Ground) {
        let mut job = ground.script("echo x > /work/out/f; echo x > /work/in/f; echo x > /usr/f");
        job.binds.push(ground.bind("out", Access::Write));
        job.binds.push(ground.bind("in", Access::Read));
        let (report, _) = ground.run(job).await;
        assert!(!report.succeeded());
        assert!(ground.room.join("out/f").exists());
        assert!(!ground.room.join("in/f").exists());
        assert!(!ground.base.iter().any(|layer| layer.join("usr/f").exists()));
    }

    pub async fn jobs_beside_each_other_do_not_meet(ground: &Ground) {
        let script = "cat /tmp/mark; echo mine > /tmp/mark; sleep 0.3; cat /tmp/mark";
        let (one, two) = tokio::join!(
            ground.run(ground.script(script)),
            ground.run(ground.script(script))
        );
        for (report, lines) in [one, two] {
            assert!(report.succeeded(), "{lines:?}");
            let marks = lines.iter().filter(|(_, text)| text == "mine").count();
            assert_eq!(marks, 1, "{lines:?}");
        }
    }

    pub async fn a_job_ends_when_its_time_is_up(ground: &Ground) {
        let mut job = ground.script("echo begun; sleep 600");
        job.limits.seconds = 1;
        let before = Instant::now();
        let (report, lines) = ground.run(job).await;
        assert_eq!(report.end, JobEnd::TimedOut);
        assert_eq!(lines.len(), 1);
        assert!(before.elapsed() < Duration::from_secs(30));
    }
}
pub use sentences::*;

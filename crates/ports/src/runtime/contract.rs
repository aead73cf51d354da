//! What every runtime does. `runtime_contract!` makes a test of each sentence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::instance::{Exit, InstanceId, InstanceState};
use model::limits::{MIB, RunLimits};
use model::serving::Process;

use super::{Fate, Launch, Runtime, RuntimeError, Seed, Termination};

/// Makes a test of each sentence of the runtime's contract.
///
/// `$make` is an async function without arguments; it returns a [`Ground`], and whatever must live
/// as long.
#[macro_export]
macro_rules! runtime_contract {
    ($make:path) => {
        $crate::contract_tests! { $make, $crate::runtime::contract,
            an_instance_runs_until_it_is_stopped_and_goes_when_it_is_removed
            an_exit_status_and_a_signal_are_told_apart
            a_command_that_is_missing_is_no_start
            commands_before_the_app_run_in_order_and_a_failing_one_is_told
            what_it_prints_is_in_its_logs
            each_start_of_a_release_has_a_serial_of_its_own
            a_frozen_instance_says_so_and_runs_again
            a_frozen_instance_can_be_stopped
            an_instance_that_listens_on_nothing_has_no_upstream
            a_missing_instance_is_told_by_its_name
            the_environment_is_the_images_and_the_owners
            layers_stay_as_they_are
            what_it_wrote_is_kept_or_lost_by_the_patterns
            the_first_release_is_seeded
        }
    };
}

/// A runtime under test, and where to try it.
pub struct Ground {
    /// The runtime; it has no instances.
    pub runtime: Box<dyn Runtime>,
    /// Layers with a POSIX shell, `cat`, `mkdir` and `sleep`.
    pub base: Vec<PathBuf>,
    /// An empty folder on the machine.
    pub room: PathBuf,
}

const PATIENCE: Duration = Duration::from_secs(30);

impl Ground {
    /// What starts a shell script as a release of `shop`.
    fn script(&self, script: &str) -> Launch {
        let app = self.room.join("app");
        std::fs::create_dir_all(app.join("srv/app")).expect("a folder");
        let mut layers = self.base.clone();
        layers.push(app);
        Launch {
            release: "shop.r1".parse().expect("a release"),
            layers,
            process: Process {
                command: words(&["sh", "-c", script]),
                before: Vec::new(),
                env: BTreeMap::new(),
                workdir: "/srv/app".into(),
                port: 8080,
            },
            env: BTreeMap::new(),
            limits: RunLimits {
                memory_bytes: 64 * MIB,
                ..RunLimits::default()
            },
            keep: vec!["*.db".into(), "uploads/".into()],
            data: self.room.join("data"),
            seed: Seed::Never,
            uid_slot: 3,
            egress: Vec::new(),
        }
    }

    async fn start(&self, launch: Launch) -> InstanceId {
        self.runtime.start(launch).await.expect("a start")
    }

    async fn exit(&self, id: &InstanceId) -> Exit {
        let ended = tokio::time::timeout(PATIENCE, self.runtime.ended(id)).await;
        match ended.expect("an end in time").expect("an end") {
            InstanceState::Exited { exit, .. } => exit,
            other => panic!("{other:?} is no end"),
        }
    }

    /// Runs a script to its end and removes it; returns what it printed.
    async fn prints(&self, launch: Launch) -> String {
        let id = self.start(launch).await;
        self.exit(&id).await;
        let printed = self.printed(&id).await;
        self.runtime.remove(&id).await.expect("removed");
        printed
    }

    async fn printed(&self, id: &InstanceId) -> String {
        let logs = self.runtime.logs(id).await.expect("logs");
        let read = |path: &PathBuf| std::fs::read_to_string(path).expect("a log");
        logs.iter().map(read).collect()
    }

    async fn end_all(&self) {
        for id in self.runtime.list().await.expect("a list") {
            self.runtime
                .stop(&id, Termination::Now)
                .await
                .expect("stopped");
            self.runtime.remove(&id).await.expect("removed");
        }
    }
}

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    std::fs::write(path, content).expect("a file");
}

#[expect(missing_docs, reason = "the names are the sentences of the contract")]
mod sentences {
    use super::*;

    pub async fn an_instance_runs_until_it_is_stopped_and_goes_when_it_is_removed(ground: &Ground) {
        let runtime = &ground.runtime;
        let id = ground.start(ground.script("sleep 600")).await;
        assert_eq!(
            runtime.list().await.expect("a list"),
            std::slice::from_ref(&id)
        );
        let state = runtime.state(&id).await.expect("a state");
        assert!(matches!(state, InstanceState::Running { .. }), "{state:?}");
        let how = Termination::Graceful(PATIENCE);
        runtime.stop(&id, how).await.expect("stopped");
        runtime.stop(&id, how).await.expect("no error");
        ground.exit(&id).await;
        assert_eq!(
            runtime.list().await.expect("a list"),
            std::slice::from_ref(&id)
        );
        runtime.remove(&id).await.expect("removed");
        assert_eq!(runtime.list().await.expect("a list"), []);
    }

    pub async fn an_exit_status_and_a_signal_are_told_apart(ground: &Ground) {
        for (script, exit) in [
            ("exit 0", Exit::Code { code: 0 }),
            ("exit 7", Exit::Code { code: 7 }),
            ("kill -9 $$", Exit::Signal { signal: 9 }),
        ] {
            let id = ground.start(ground.script(script)).await;
            assert_eq!(ground.exit(&id).await, exit, "{script}");
            ground.runtime.remove(&id).await.expect("removed");
        }
    }

    pub async fn a_command_that_is_missing_is_no_start(ground: &Ground) {
        let mut launch = ground.script("");
        launch.process.command = words(&["no-such-program"]);
        let failure = ground.runtime.start(launch).await.expect_err("no start");
        assert!(failure.to_string().contains("no-such-program"), "{failure}");
        assert_eq!(ground.runtime.list().await.expect("a list"), []);
    }

    pub async fn commands_before_the_app_run_in_order_and_a_failing_one_is_told(ground: &Ground) {
        let mut launch = ground.script("cat made");
        launch.process.before = vec![
            words(&["sh", "-c", "echo one > made"]),
            words(&["sh", "-c", "echo two >> made"]),
        ];
        let printed = ground.prints(launch.clone()).await;
        let (one, two) = (printed.find("one"), printed.find("two"));
        assert!(one.is_some() && one < two, "{printed}");

        launch
            .process
            .before
            .push(words(&["sh", "-c", "echo why; exit 3"]));
        match ground.runtime.start(launch).await.expect_err("no start") {
            RuntimeError::Before { exit, lines, .. } => {
                assert_eq!(exit, Exit::Code { code: 3 });
                assert_eq!(lines.last().map(String::as_str), Some("why"));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(ground.runtime.list().await.expect("a list"), []);
    }

    pub async fn what_it_prints_is_in_its_logs(ground: &Ground) {
        let printed = ground.prints(ground.script("echo out; echo err >&2")).await;
        assert!(printed.contains(" o out\n"), "{printed}");
        assert!(printed.contains(" e err\n"), "{printed}");
    }

    pub async fn each_start_of_a_release_has_a_serial_of_its_own(ground: &Ground) {
        let first = ground.start(ground.script("sleep 600")).await;
        let second = ground.start(ground.script("sleep 600")).await;
        assert_eq!((first.serial, second.serial), (1, 2));
        assert_eq!(first.release, second.release);
        assert_eq!(
            ground.runtime.list().await.expect("a list"),
            [first, second]
        );
        ground.end_all().await;
    }

    pub async fn a_frozen_instance_says_so_and_runs_again(ground: &Ground) {
        let id = ground.start(ground.script("sleep 600")).await;
        ground.runtime.freeze(&id).await.expect("frozen");
        let state = ground.runtime.state(&id).await.expect("a state");
        assert!(matches!(state, InstanceState::Frozen { .. }), "{state:?}");
        ground.runtime.thaw(&id).await.expect("thawed");
        let state = ground.runtime.state(&id).await.expect("a state");
        assert!(matches!(state, InstanceState::Running { .. }), "{state:?}");
        ground.end_all().await;
    }

    pub async fn a_frozen_instance_can_be_stopped(ground: &Ground) {
        let id = ground.start(ground.script("sleep 600")).await;
        ground.runtime.freeze(&id).await.expect("frozen");
        let before = Instant::now();
        let stopped = ground.runtime.stop(&id, Termination::Now).await;
        stopped.expect("stopped");
        ground.exit(&id).await;
        assert!(before.elapsed() < PATIENCE);
        ground.end_all().await;
    }

    pub async fn an_instance_that_listens_on_nothing_has_no_upstream(ground: &Ground) {
        let id = ground.start(ground.script("sleep 600")).await;
        let found = ground.runtime.upstream(&id, 8080).await.expect("an answer");
        assert_eq!(found, None);
        ground.end_all().await;
    }

    pub async fn a_missing_instance_is_told_by_its_name(ground: &Ground) {
        let id: InstanceId = "shop.r9.1".parse().expect("an id");
        let failure = ground.runtime.state(&id).await.expect_err("there is none");
        assert!(
            matches!(&failure, RuntimeError::Missing(found) if *found == id),
            "{failure:?}"
        );
        let stopped = ground.runtime.stop(&id, Termination::Now).await;
        assert!(
            matches!(stopped, Err(RuntimeError::Missing(_))),
            "{stopped:?}"
        );
    }

    pub async fn the_environment_is_the_images_and_the_owners(ground: &Ground) {
        let mut launch = ground.script("echo $IMAGE-$OWNER-$BOTH-$PORT");
        for (name, value) in [("IMAGE", "image"), ("BOTH", "image")] {
            launch.process.env.insert(name.into(), value.into());
        }
        for (name, value) in [("OWNER", "owner"), ("BOTH", "owner")] {
            launch.env.insert(name.into(), value.into());
        }
        let printed = ground.prints(launch).await;
        assert!(printed.contains("image-owner-owner-8080"), "{printed}");
    }

    pub async fn layers_stay_as_they_are(ground: &Ground) {
        let file = ground.room.join("app/srv/app/page.html");
        write(&file, "as built");
        let script = ground.script("echo changed > page.html; cat page.html");
        assert!(ground.prints(script.clone()).await.contains("changed"));
        assert_eq!(std::fs::read_to_string(&file).expect("a file"), "as built");
        let mut script = script;
        script.process.command = words(&["cat", "page.html"]);
        assert!(ground.prints(script).await.contains("as built"));
    }

    pub async fn what_it_wrote_is_kept_or_lost_by_the_patterns(ground: &Ground) {
        let script = "echo 1 > a.db; echo 2 > notes; mkdir -p uploads/x; echo 3 > uploads/x/y";
        let id = ground.start(ground.script(script)).await;
        ground.exit(&id).await;
        let written = ground.runtime.written(&id).await.expect("a list");
        let written: Vec<_> = written
            .iter()
            .map(|file| (file.path.as_str(), file.fate))
            .collect();
        let expected = [
            ("a.db", Fate::Kept),
            ("notes", Fate::Lost),
            ("uploads/x/y", Fate::Kept),
        ];
        assert_eq!(written, expected);
        let saved = ground.runtime.save_written(&id).await.expect("saved");
        let data = ground.room.join("data");
        assert_eq!(saved, [data.join("a.db"), data.join("uploads")]);
        ground.runtime.remove(&id).await.expect("removed");
        let next = ground.script("cat a.db uploads/x/y; echo 4 > a.db");
        let printed = ground.prints(next).await;
        assert!(
            printed.contains(" o 1\n") && printed.contains(" o 3\n"),
            "{printed}"
        );
        assert_eq!(
            std::fs::read_to_string(data.join("a.db")).expect("a file"),
            "4\n"
        );
    }

    pub async fn the_first_release_is_seeded(ground: &Ground) {
        let source = ground.room.join("source");
        write(&source.join("a.db"), "seed");
        write(&source.join("main.py"), "code");
        let mut launch = ground.script("cat a.db; echo own > a.db");
        launch.seed = Seed::From(source);
        assert!(ground.prints(launch.clone()).await.contains(" o seed\n"));
        assert!(ground.prints(launch).await.contains(" o own\n"));
        assert!(!ground.room.join("data/main.py").exists());
    }
}
pub use sentences::*;

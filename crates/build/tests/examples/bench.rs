//! A builder with everything that it needs, and folders to build.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use build::{Config, ImageBuilder};
use model::Digest;
use model::failure::Failure;
use model::limits::SourceLimits;
use model::manifest::Manifest;
use model::progress::Stream;
use model::snapshot::{Entry, Mode, Snapshot, leaves_out_file, leaves_out_folder};
use ports::{
    AdmitsAll, BuildRequest, Builder, Built, PackageGate, ProgressSink, Source, TestRequest,
    Tested, Tester,
};
use sandbox::Sandboxes;
use store::DiskBlobs;
use tempfile::TempDir;

/// One builder.
pub(crate) struct Bench {
    pub(crate) builder: ImageBuilder,
    pub(crate) workshop: Arc<Sandboxes>,
    home: TempDir,
}

/// What a build said.
#[derive(Default)]
pub(crate) struct Heard(Mutex<Vec<String>>);

impl Heard {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().expect("no panic holds it").clone()
    }

    fn add(&self, line: String) {
        if std::env::var_os("MAYFLY_TEST_LOUD").is_some() {
            println!("      {line}");
        }
        self.0.lock().expect("no panic holds it").push(line);
    }
}

impl ProgressSink for Heard {
    fn step_started(&self, step: &str) {
        self.add(format!("> {step}"));
    }

    fn step_done(&self, step: &str, seconds: f64, cached: bool) {
        self.add(format!(
            "< {step} {seconds:.3} s{}",
            if cached { ", cached" } else { "" }
        ));
    }

    fn line(&self, _: Stream, line: &str) {
        self.add(line.to_owned());
    }

    fn notice(&self, text: &str) {
        self.add(format!("! {text}"));
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let home = tempfile::Builder::new()
            .prefix("mayfly-build-")
            .tempdir_in(cache_or_tmp())
            .expect("a folder");
        let kept = std::env::var_os("MAYFLY_TEST_CACHE").map(PathBuf::from);
        let state = kept.as_deref().unwrap_or(home.path());
        let supervisor = std::env::current_exe().expect("this program");
        let config = sandbox::Config {
            home: home.path().join("state"),
            supervisor,
            supervisor_args: vec![crate::SUPERVISE.to_owned()],
        };
        let workshop = Arc::new(Sandboxes::new(config).expect("sandboxes"));
        let blobs = Arc::new(DiskBlobs::open(&state.join("blobs")).expect("blobs"));
        let config = Config {
            home: state.to_owned(),
            mirror: None,
        };
        let builder = ImageBuilder::new(config, blobs, workshop.clone()).expect("a builder");
        Self {
            builder,
            workshop,
            home,
        }
    }

    /// A copy of a folder that the test may change.
    pub(crate) fn folder(&self, from: &Path) -> PathBuf {
        let to = self.empty();
        let status = std::process::Command::new("cp")
            .args(["-r", "--"])
            .arg(from.join("."))
            .arg(&to)
            .status();
        assert!(status.expect("cp").success());
        to
    }

    /// A new folder with these files.
    pub(crate) fn folder_of(&self, files: &[(&str, &str)]) -> PathBuf {
        let folder = self.empty();
        for (path, text) in files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            std::fs::write(path, text).expect("a file");
        }
        folder
    }

    fn empty(&self) -> PathBuf {
        let folder = tempfile::Builder::new()
            .prefix("app-")
            .tempdir_in(self.home.path());
        folder.expect("a folder").keep()
    }

    /// Whether the caches are those of earlier runs.
    pub(crate) fn keeps_caches(&self) -> bool {
        std::env::var_os("MAYFLY_TEST_CACHE").is_some()
    }

    /// Builds a folder; prints how long that took.
    pub(crate) async fn build(
        &self,
        folder: &Path,
        pins: &Pins,
    ) -> (Result<Built, Failure>, Heard) {
        self.build_asking(folder, pins, &AdmitsAll).await
    }

    /// Builds a folder whose packages `gate` decides about.
    pub(crate) async fn build_asking(
        &self,
        folder: &Path,
        pins: &Pins,
        gate: &dyn PackageGate,
    ) -> (Result<Built, Failure>, Heard) {
        let source = source(folder);
        let text = std::fs::read_to_string(folder.join("mayfly.toml")).unwrap_or_default();
        let request = BuildRequest {
            source,
            manifest: Manifest::parse(&text).expect("a good manifest"),
            public_env: [("VITE_TITLE".to_owned(), "Habit Tracker".to_owned())].into(),
            pins: pins.clone(),
        };
        let heard = Heard::default();
        let began = Instant::now();
        let built = self.builder.build(request, gate, &heard).await;
        let cached = built.as_ref().is_ok_and(|built| built.cached);
        println!(
            "    built in {:.3} s{}",
            began.elapsed().as_secs_f64(),
            if cached { ", cached" } else { "" }
        );
        (built, heard)
    }
}

impl Bench {
    fn request(&self, folder: &Path, built: &Built, pins: &Pins) -> TestRequest {
        let text = std::fs::read_to_string(folder.join("mayfly.toml")).unwrap_or_default();
        TestRequest {
            source: source(folder),
            manifest: Manifest::parse(&text).expect("a good manifest"),
            image: built.image.clone(),
            public_env: [("VITE_TITLE".to_owned(), "Habit Tracker".to_owned())].into(),
            pins: pins.clone(),
        }
    }

    /// Runs the app's own tests; prints how long that took.
    pub(crate) async fn test(
        &self,
        folder: &Path,
        built: &Built,
        pins: &Pins,
    ) -> (Result<Tested, Failure>, Heard) {
        self.test_asking(folder, built, pins, &AdmitsAll).await
    }

    /// The same, with packages of tests that `gate` decides about.
    pub(crate) async fn test_asking(
        &self,
        folder: &Path,
        built: &Built,
        pins: &Pins,
        gate: &dyn PackageGate,
    ) -> (Result<Tested, Failure>, Heard) {
        let heard = Heard::default();
        let began = Instant::now();
        let request = self.request(folder, built, pins);
        let tested = self.builder.test(request, gate, &heard).await;
        println!("    tested in {:.3} s", began.elapsed().as_secs_f64());
        (tested, heard)
    }

    /// The identity of the app's tests.
    pub(crate) fn test_input(
        &self,
        folder: &Path,
        built: &Built,
    ) -> Result<Option<Digest>, String> {
        let input = self
            .builder
            .input(&self.request(folder, built, &built.pins));
        input.map_err(|failure| format!("{failure:#?}"))
    }

    /// Tests changed neither the app's files nor its image.
    pub(crate) async fn stays_as_built(&self, folder: &Path, built: &Built) -> Result<(), String> {
        let (again, _) = self.build(folder, &built.pins).await;
        let again = again.map_err(|failure| format!("{failure:#?}"))?;
        match again.image == built.image && again.cached {
            true => Ok(()),
            false => Err("the tests changed the image".into()),
        }
    }
}

/// Inputs that were resolved, by name.
type Pins = BTreeMap<String, Vec<u8>>;

fn cache_or_tmp() -> PathBuf {
    std::env::var_os("MAYFLY_TEST_CACHE").map_or_else(std::env::temp_dir, PathBuf::from)
}

/// The snapshot of a folder, as the command line would take it.
pub(crate) fn source(root: &Path) -> Source {
    let mut entries = Vec::new();
    let walk = walkdir::WalkDir::new(root).min_depth(1).into_iter();
    let walk = walk.filter_entry(|entry| {
        let name = entry.file_name().to_string_lossy();
        let left_out = match entry.file_type().is_dir() {
            true => leaves_out_folder(&name),
            false => leaves_out_file(&name),
        };
        !left_out
    });
    for entry in walk.map(|entry| entry.expect("a readable folder")) {
        if !entry.file_type().is_file() {
            continue;
        }
        let bytes = std::fs::read(entry.path()).expect("a readable file");
        let path = entry.path().strip_prefix(root).expect("below the root");
        entries.push(Entry::File {
            path: path.to_str().expect("UTF-8").to_owned(),
            digest: Digest::of(&bytes),
            size_bytes: bytes.len() as u64,
            mode: Mode::Plain,
        });
    }
    let snapshot = Snapshot::new(entries, vec![], &SourceLimits::default());
    Source {
        snapshot: snapshot.expect("a good snapshot"),
        root: root.to_owned(),
    }
}

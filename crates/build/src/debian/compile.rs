//! Compiles Python's standard library ahead: an app's first answer comes in a fraction of the time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use model::failure::{Failure, FailureCode};
use model::limits::BuildLimits;
use ports::workshop::{Access, Bind, Network};
use ports::{Job, Workshop};

use crate::layer::{LayerError, Packer, Scratch};

/// Where the job writes, in its sandbox.
const OUT: &str = "/out";
/// What Python is told; the folders or files follow.
const COMPILE: [&str; 6] = [
    "-m",
    "compileall",
    "-q",
    "-j1",
    "--invalidation-mode",
    "unchecked-hash",
];

/// Compiles `usr/lib/python<version>` in `root` with the Python that is in it. The files say
/// that they are never to be checked against their source, so their bytes do not depend on time.
pub(super) async fn standard_library(
    workshop: &dyn Workshop,
    packer: &Packer,
    version: &str,
    root: &Path,
) -> Result<(), Failure> {
    let library = format!("usr/lib/python{version}");
    let part = Part {
        workshop,
        packer,
        version,
        root,
    };
    let folders = folders_in(&root.join(&library))?;
    let folders = folders.iter().map(|name| format!("/{library}/{name}"));
    let files = vec!["-l".to_owned(), format!("/{library}")];
    // Two halves at once. Each is one process: what it writes does not depend on the other.
    let (one, two) = tokio::try_join!(part.compile(files), part.compile(folders.collect()))?;
    for out in [one, two] {
        move_in(&out.path().join(&library), &root.join(&library))?;
    }
    Ok(())
}

/// What both halves have in common.
struct Part<'a> {
    workshop: &'a dyn Workshop,
    packer: &'a Packer,
    version: &'a str,
    root: &'a Path,
}

impl Part<'_> {
    /// The folder that the compiled files were written to.
    async fn compile(&self, words: Vec<String>) -> Result<Scratch, Failure> {
        let out = self.packer.scratch()?;
        run(self.workshop, self.job(out.path(), words)).await?;
        Ok(out)
    }

    fn job(&self, out: &Path, words: Vec<String>) -> Job {
        let mut command = vec![format!("/usr/bin/python{}", self.version)];
        command.extend(COMPILE.map(str::to_owned));
        command.extend(words);
        Job {
            layers: vec![self.root.to_owned()],
            binds: vec![Bind {
                source: out.to_owned(),
                target: OUT.into(),
                access: Access::Write,
            }],
            command,
            env: environment(),
            workdir: PathBuf::from("/"),
            network: Network::None,
            limits: BuildLimits::default(),
        }
    }
}

/// The library's folders of modules, sorted.
fn folders_in(library: &Path) -> Result<Vec<String>, LayerError> {
    let entries = fs::read_dir(library).map_err(LayerError::at(library))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

async fn run(workshop: &dyn Workshop, job: Job) -> Result<(), Failure> {
    let printed = Mutex::new(Vec::new());
    let keep = |_, line: &str| {
        let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
        printed.push(model::progress::clean_line(line));
    };
    let report = workshop.run(job, &keep).await;
    if report.map_err(|error| Failure::of(&error))?.succeeded() {
        return Ok(());
    }
    let printed = printed.into_inner().unwrap_or_else(PoisonError::into_inner);
    Err(failed(&printed))
}

fn environment() -> BTreeMap<String, String> {
    let pairs = [
        ("PATH", "/usr/bin"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONPYCACHEPREFIX", OUT),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

fn failed(printed: &[String]) -> Failure {
    let last = printed.iter().rev().take(5).rev();
    let failure = Failure::new(
        FailureCode::Internal,
        "Python's standard library cannot be compiled",
    );
    last.fold(failure, |failure, line| failure.because(line.clone()))
        .hint("run `mayfly doctor` to see whether this machine can run sandboxes")
}

/// Moves `a/b.cpython-313.pyc` to `a/__pycache__/b.cpython-313.pyc` below `library`. Whatever the
/// job wrote besides is left behind.
fn move_in(compiled: &Path, library: &Path) -> Result<(), LayerError> {
    for entry in fs::read_dir(compiled).map_err(LayerError::at(compiled))? {
        let entry = entry.map_err(LayerError::at(compiled))?;
        let kind = entry.file_type().map_err(LayerError::at(entry.path()))?;
        let name = entry.file_name();
        let below = library.join(&name);
        let is_real_folder = || fs::symlink_metadata(&below).is_ok_and(|about| about.is_dir());
        if kind.is_dir() && is_real_folder() {
            move_in(&entry.path(), &below)?;
        } else if kind.is_file() && name.to_string_lossy().ends_with(".pyc") {
            let cache = library.join("__pycache__");
            fs::create_dir_all(&cache).map_err(LayerError::at(&cache))?;
            fs::rename(entry.path(), cache.join(&name)).map_err(LayerError::at(&cache))?;
        }
    }
    Ok(())
}

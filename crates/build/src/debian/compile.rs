//! Compiles Python's standard library ahead: an app's first answer comes in a fraction of the time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use model::failure::{Failure, FailureCode};
use model::limits::BuildLimits;
use ports::workshop::{Access, Bind, Network};
use ports::{Job, Workshop};

use crate::layer::{LayerError, Packer};

/// Where the job writes, in its sandbox.
const OUT: &str = "/out";

/// Compiles `usr/lib/python<version>` in `root` with the Python that is in it. The files say
/// that they are never to be checked against their source, so their bytes do not depend on time.
pub(super) async fn standard_library(
    workshop: &dyn Workshop,
    packer: &Packer,
    version: &str,
    root: &Path,
) -> Result<(), Failure> {
    let out = packer.scratch().map_err(Failure::from)?;
    let library = format!("/usr/lib/python{version}");
    let words = [
        "-q",
        "-j1",
        "--invalidation-mode",
        "unchecked-hash",
        &library,
    ];
    let mut command = vec![
        format!("/usr/bin/python{version}"),
        "-m".into(),
        "compileall".into(),
    ];
    command.extend(words.map(str::to_owned));
    let job = Job {
        layers: vec![root.to_owned()],
        binds: vec![Bind {
            source: out.path().to_owned(),
            target: OUT.into(),
            access: Access::Write,
        }],
        command,
        env: environment(),
        workdir: PathBuf::from("/"),
        network: Network::None,
        limits: BuildLimits::default(),
    };
    let printed = Mutex::new(Vec::new());
    let keep = |_, line: &str| {
        let mut printed = printed.lock().unwrap_or_else(|poison| poison.into_inner());
        printed.push(model::progress::clean_line(line));
    };
    let report = workshop
        .run(job, &keep)
        .await
        .map_err(|error| Failure::of(&error))?;
    if !report.succeeded() {
        let printed = printed
            .into_inner()
            .unwrap_or_else(|poison| poison.into_inner());
        return Err(failed(&printed));
    }
    let compiled = out.path().join(library.trim_start_matches('/'));
    move_in(&compiled, &root.join(library.trim_start_matches('/'))).map_err(Failure::from)
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

//! `mayfly check --install-hook`: what is committed is looked at before it is.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use model::failure::{Failure, FailureCode, Remedy};

use crate::folder::repository::Repository;
use crate::folder::timed;

const NAME: &str = "pre-commit";
/// By which a hook is known as ours.
const MARK: &str = "# Written by `mayfly check --install-hook`.";
const SKIP: &str = "skip it once with `git commit --no-verify`";
/// A longer hook is none of ours.
const LONGEST: u64 = 1 << 20;

/// What became of the hook.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Installed {
    /// It is new.
    New(PathBuf),
    /// It looks at this folder too from now on.
    Extended(PathBuf),
    /// It was there already.
    Already(PathBuf),
}

/// Why there is no hook.
#[derive(Debug, thiserror::Error)]
pub(super) enum HookError {
    #[error("`{}` is in no repository", folder.display())]
    NoRepository { folder: PathBuf },
    #[error("there is a hook already: `{}`", hook.display())]
    Foreign { hook: PathBuf, line: String },
    #[error("git looks for hooks outside of the repository, in `{}`", place.display())]
    Elsewhere { place: PathBuf, line: String },
    #[error("cannot write the hook `{}`", hook.display())]
    Write {
        hook: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error("the folder's name cannot stand in a script")]
    Name,
}

impl Remedy for HookError {
    fn code(&self) -> FailureCode {
        match self {
            Self::NoRepository { .. } | Self::Name => FailureCode::BadFolder,
            Self::Foreign { .. } | Self::Elsewhere { .. } | Self::Write { .. } => {
                FailureCode::Usage
            }
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoRepository { .. } => "run `git init` first".into(),
            Self::Foreign { line, .. } => format!("add this line to it: {line}"),
            Self::Elsewhere { line, .. } => {
                format!("add this line to the hook `{NAME}` there: {line}")
            }
            Self::Write { .. } => "make the folder of the hook writable".into(),
            Self::Name => "rename the folder".into(),
        })
    }
}

impl Installed {
    /// As a person reads it.
    pub(super) fn text(&self) -> String {
        let (what, hook) = match self {
            Self::New(hook) => ("each commit is checked from now on", hook),
            Self::Extended(hook) => ("this folder is checked too from now on", hook),
            Self::Already(hook) => ("each commit is checked already", hook),
        };
        format!("{what} by {}; {SKIP}", hook.display())
    }
}

/// Installs the hook for `folder`.
pub(super) fn install(folder: &Path) -> Result<Installed, Failure> {
    try_install(folder).map_err(|error| Failure::of(&error))
}

fn try_install(folder: &Path) -> Result<Installed, HookError> {
    let repository = Repository::of(folder).ok_or_else(|| HookError::NoRepository {
        folder: folder.to_owned(),
    })?;
    let work = repository.work.canonicalize().unwrap_or_default();
    let inner = folder.strip_prefix(&work).unwrap_or(Path::new(""));
    let line = line(inner)?;
    let place = place(&repository, &work, &line)?;
    let hook = place.join(NAME);
    match read(&hook) {
        Ok(None) => {
            let text = format!("{}{line}\n", head());
            write(&place, &hook, &text)?;
            Ok(Installed::New(hook))
        }
        Ok(Some(text)) if text.lines().any(|known| known == line) => Ok(Installed::Already(hook)),
        Ok(Some(text)) if text.contains(MARK) => {
            write(&place, &hook, &format!("{}\n{line}\n", text.trim_end()))?;
            Ok(Installed::Extended(hook))
        }
        Ok(Some(_)) => Err(HookError::Foreign { hook, line }),
        Err(cause) => Err(HookError::Write { hook, cause }),
    }
}

/// The line that looks at a folder of the repository. Git runs hooks at its top.
fn line(inner: &Path) -> Result<String, HookError> {
    let inner = inner.to_str().ok_or(HookError::Name)?;
    if inner.contains(['\n', '\r']) {
        return Err(HookError::Name);
    }
    let inner = match inner {
        "" => ".".to_owned(),
        inner => format!("./{inner}"),
    };
    let quoted = inner.replace('\'', r"'\''");
    Ok(format!(
        "\"${{MAYFLY:-mayfly}}\" check --staged '{quoted}' || exit"
    ))
}

fn head() -> String {
    let program = std::env::current_exe().unwrap_or_default();
    let program = program.display().to_string().replace('\'', r"'\''");
    format!(
        "#!/bin/sh\n{MARK}\n# Looks at what is about to be committed; {SKIP}.\n\
         command -v mayfly >/dev/null || MAYFLY='{program}'\n"
    )
}

/// Where git looks for hooks: as its settings say, while that is a part of this repository. A place
/// that other repositories share is not ours to write to.
fn place(repository: &Repository, work: &Path, line: &str) -> Result<PathBuf, HookError> {
    let Some(set) = set_place(work) else {
        return Ok(repository.common.join("hooks"));
    };
    let set = work.join(set);
    let elsewhere = || HookError::Elsewhere {
        place: set.clone(),
        line: line.to_owned(),
    };
    if set.components().any(|part| part == Component::ParentDir) {
        return Err(elsewhere());
    }
    // What is not there yet is made below what is.
    let there = set.ancestors().find(|above| above.exists());
    let real = there.and_then(|above| above.canonicalize().ok());
    let common = repository.common.canonicalize().unwrap_or_default();
    let is_inside = real.is_some_and(|real| real.starts_with(work) || real.starts_with(&common));
    match is_inside {
        true => Ok(set),
        false => Err(elsewhere()),
    }
}

/// `core.hooksPath`, as git will read it for this user. Reading settings runs nothing.
fn set_place(work: &Path) -> Option<PathBuf> {
    const WITHIN: Duration = Duration::from_secs(5);
    let mut git = Command::new("git");
    git.args(["config", "--path", "--get", "core.hooksPath"])
        .current_dir(work)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null());
    let told = timed::output(&mut git, WITHIN, 4096)?;
    let path = String::from_utf8(told).ok()?;
    let path = path.trim_end_matches('\n');
    (!path.is_empty()).then(|| PathBuf::from(path))
}

/// The hook that is there. A link is another's, wherever it leads.
fn read(hook: &Path) -> io::Result<Option<String>> {
    let metadata = match fs::symlink_metadata(hook) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Ok(Some(String::new()));
    }
    fs::read(hook).map(|bytes| Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn write(place: &Path, hook: &Path, text: &str) -> Result<(), HookError> {
    try_write(place, hook, text).map_err(|cause| HookError::Write {
        hook: hook.to_owned(),
        cause,
    })
}

fn try_write(place: &Path, hook: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(place)?;
    let new = place.join(format!(".{NAME}.{}", std::process::id()));
    let written = File::options()
        .write(true)
        .create_new(true)
        .mode(0o755)
        .open(&new)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.set_permissions(fs::Permissions::from_mode(0o755))
        });
    let moved = written.and_then(|()| fs::rename(&new, hook));
    if moved.is_err() {
        let _ = fs::remove_file(&new);
    }
    moved
}

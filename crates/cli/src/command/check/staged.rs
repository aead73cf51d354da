//! A folder as it is about to be committed: what the index holds, whatever the files say.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Stdio};
use std::time::{Duration, Instant};

use model::Digest;
use model::failure::{Failure, FailureCode};
use model::keep;
use model::limits::SourceLimits;
use model::snapshot::{leaves_out_file, leaves_out_folder};
use server::checks::{Listed, Sources};

use crate::folder::FolderError;
use crate::folder::ignore::{self, IgnoreRules};
use crate::folder::repository::{Borrowed, Repository};
use crate::folder::timed::{self, Ended, Timed};

/// How long git may take to hand all of it over.
const WITHIN: Duration = Duration::from_secs(60);
/// The list of the index is no longer.
const LIST: u64 = 64 << 20;
/// Larger files are named and not read.
const LARGEST: u64 = 16 << 20;

/// What the index holds of a folder.
pub(super) struct Staged {
    files: BTreeMap<String, File>,
}

struct File {
    size_bytes: u64,
    /// None where it is too large to be looked at.
    content: Option<Vec<u8>>,
}

/// Why the index cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum StagedError {
    #[error("`{}` is in no repository", folder.display())]
    NoRepository { folder: PathBuf },
    #[error("git cannot list what is staged")]
    List,
    #[error("git cannot hand over what is staged")]
    Read(#[source] io::Error),
    #[error("more than {limit} files are staged")]
    TooMany { limit: usize },
    #[error("what is staged to be left out cannot be read")]
    Ignore(#[source] FolderError),
    #[error("what is staged holds more than {limit_bytes} bytes")]
    TooLarge { limit_bytes: u64 },
}

impl From<StagedError> for Failure {
    fn from(error: StagedError) -> Self {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        let failure = Failure::new(FailureCode::BadFolder, error.to_string());
        let failure = match error {
            StagedError::NoRepository { .. } => failure.hint("run `git init` first"),
            _ => failure.hint("run `git fsck` to see what is wrong with the repository"),
        };
        match cause {
            Some(cause) => failure.because(cause),
            None => failure,
        }
    }
}

impl Staged {
    /// What is staged of `folder`.
    pub(super) fn of(folder: &Path, limits: &SourceLimits) -> Result<Self, StagedError> {
        let no_repository = || StagedError::NoRepository {
            folder: folder.to_owned(),
        };
        let repository = Repository::of(folder).ok_or_else(no_repository)?;
        let index = index(&repository);
        let borrowed = repository.borrow_with(&index).ok_or(StagedError::List)?;
        let listed = list(&borrowed, folder)?;
        if listed.len() > limits.files {
            return Err(StagedError::TooMany {
                limit: limits.files,
            });
        }
        read(&borrowed, folder, listed, limits)?.without_ignored()
    }

    fn without_ignored(mut self) -> Result<Self, StagedError> {
        let ignore = self.files.get(ignore::FILE_NAME);
        let ignore = ignore.and_then(|file| file.content.as_deref());
        let ignore = String::from_utf8_lossy(ignore.unwrap_or_default());
        let ignore = IgnoreRules::parse(&ignore).map_err(StagedError::Ignore)?;
        self.files.retain(|path, _| {
            let mut above = path.match_indices('/').map(|(at, _)| &path[..at]);
            !above.any(|folder| ignore.matches(folder, keep::Entry::Folder))
                && !ignore.matches(path, keep::Entry::File)
        });
        Ok(self)
    }
}

/// A commit of some files only has an index of its own, which git names to its hooks.
fn index(repository: &Repository) -> PathBuf {
    let named = std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from);
    let named = named.map(|path| repository.work.join(path));
    named.unwrap_or_else(|| repository.own.join("index"))
}

/// Paths below the folder and the ids of their contents.
fn list(borrowed: &Borrowed, folder: &Path) -> Result<Vec<(String, String)>, StagedError> {
    let mut git = borrowed.git(folder);
    git.args(["ls-files", "--stage", "-z"]);
    let told = timed::output(&mut git, WITHIN, LIST).ok_or(StagedError::List)?;
    let entries = told.split(|byte| *byte == 0).filter_map(|entry| {
        let entry = std::str::from_utf8(entry).ok()?;
        let (head, path) = entry.split_once('\t')?;
        let (mode, rest) = head.split_once(' ')?;
        let (id, _) = rest.split_once(' ')?;
        let is_file = mode.starts_with("100") && !is_left_out(path);
        is_file.then(|| (path.to_owned(), id.to_owned()))
    });
    Ok(entries.collect())
}

/// What `up` leaves out is no part of the app, committed or not; but a committed `.env` leaks.
fn is_left_out(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let name = parts.next().unwrap_or_default();
    let is_env = model::snapshot::is_env_file(name);
    parts.any(leaves_out_folder) || (leaves_out_file(name) && !is_env)
}

fn read(
    borrowed: &Borrowed,
    folder: &Path,
    listed: Vec<(String, String)>,
    limits: &SourceLimits,
) -> Result<Staged, StagedError> {
    let mut git = borrowed.git(folder);
    git.args(["cat-file", "--batch", "--buffer"])
        .stdin(Stdio::piped());
    let mut running = Timed::start(&mut git, Instant::now() + WITHIN).map_err(StagedError::Read)?;
    let mut asked = running.stdin().map_err(StagedError::Read)?;
    let ids: String = listed.iter().map(|(_, id)| format!("{id}\n")).collect();
    let asking = std::thread::spawn(move || asked.write_all(ids.as_bytes()));
    let answers = running.stdout().map_err(StagedError::Read)?;
    let staged = receive(answers, listed, limits);
    let ended = running.end().map_err(StagedError::Read)?;
    let staged = staged?;
    match (asking.join(), ended) {
        (Ok(Ok(())), Ended::Well) => Ok(staged),
        _ => Err(StagedError::Read(io::ErrorKind::UnexpectedEof.into())),
    }
}

fn receive(
    answers: ChildStdout,
    listed: Vec<(String, String)>,
    limits: &SourceLimits,
) -> Result<Staged, StagedError> {
    let mut answers = super::blobs::Blobs::new(answers, LARGEST);
    let mut files = BTreeMap::new();
    let mut total: u64 = 0;
    for (path, id) in listed {
        let blob = answers.next(&id).map_err(StagedError::Read)?;
        let blob = blob.ok_or(StagedError::List)?;
        total = total.saturating_add(blob.size_bytes);
        if total > limits.total_bytes {
            return Err(StagedError::TooLarge {
                limit_bytes: limits.total_bytes,
            });
        }
        let file = File {
            size_bytes: blob.size_bytes,
            content: blob.content,
        };
        files.insert(path, file);
    }
    Ok(Staged { files })
}

impl Sources for Staged {
    fn list(&self) -> Vec<Listed> {
        let listed = self.files.iter().map(|(path, file)| Listed {
            path: path.clone(),
            size_bytes: file.size_bytes,
            digest: file.content.as_deref().map(Digest::of),
            is_tracked: Some(true),
        });
        listed.collect()
    }

    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let file = self.files.get(path);
        let content = file.and_then(|file| file.content.clone());
        content.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

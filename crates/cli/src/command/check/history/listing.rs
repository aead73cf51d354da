//! What each commit brought, as git lists it while it walks, newest first.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::{Duration, Instant};

use super::memory::{Key, Known, Seen, key};
use super::{Walk, is_text};
use crate::folder::repository::Borrowed;
use crate::folder::timed::{self, Ended, Timed};

/// How far the list may be ahead of those who read.
const AHEAD: usize = 4096;
/// A name in the list is no longer.
const LONGEST: u64 = 1 << 16;
/// What a question about commits may be answered with.
const ANSWER: u64 = 64;

/// A text that a commit brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) id: String,
    pub(super) key: Key,
    /// Relative to the app's folder.
    pub(super) file: String,
    pub(super) commit: Arc<str>,
    pub(super) day: Arc<str>,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    /// All that came before belongs to other commits, and was handed over.
    Commit,
    /// A text that has to be read. Git was asked for it.
    Blob(Blob),
    /// A text that was read before, and holds something.
    Known(Blob),
}

/// A list that can be asked for.
pub(super) struct Listing<'a> {
    walk: &'a Walk<'a>,
    borrowed: Borrowed,
    tips: &'a BTreeSet<String>,
    /// Of the folder below its repository, with a `/` at its end.
    prefix: String,
}

/// A list while git makes it.
pub(super) struct Running {
    log: Timed,
    cat: Timed,
    items: Receiver<Item>,
    is_over: bool,
}

impl<'a> Listing<'a> {
    /// Of all that `tips` have.
    pub(super) fn new(walk: &'a Walk<'a>, tips: &'a BTreeSet<String>) -> Result<Self, String> {
        let borrowed = walk
            .repository
            .borrow()
            .ok_or("its repository cannot be read")?;
        let place = walk.repository.work.canonicalize().unwrap_or_default();
        let prefix = walk.folder.strip_prefix(place).unwrap_or(walk.folder);
        let prefix = prefix.to_str().ok_or("the folder's name is no text")?;
        let prefix = match prefix {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        match borrowed.git(walk.folder).arg("version").status() {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                Err("git is not installed".to_owned())
            }
            Err(cause) => Err(format!("git does not start: {cause}")),
            Ok(_) => Ok(Self {
                walk,
                borrowed,
                tips,
                prefix,
            }),
        }
    }

    /// Whether all that `known` have is part of this history.
    pub(super) fn goes_on_from(&self, known: &BTreeSet<String>) -> bool {
        let mut git = self.git(&["rev-list", "--count", "--stdin"]);
        let asked = [lines("", known), lines("^", self.tips)].concat();
        let told = timed::answer(&mut git, asked.as_bytes(), self.left(), ANSWER);
        told.is_some_and(|count| count.trim_ascii() == b"0")
    }

    /// How many commits there are; none when there is no time to count them.
    pub(super) fn count(&self) -> Option<u64> {
        const LONGER: Duration = Duration::from_secs(1);
        let mut git = self.git(&["rev-list", "--count", "--stdin", "--ignore-missing"]);
        self.only_the_folder(&mut git);
        let asked = lines("", self.tips);
        let told = timed::answer(&mut git, asked.as_bytes(), LONGER, ANSWER)?;
        std::str::from_utf8(&told).ok()?.trim().parse().ok()
    }

    /// Lists all that `known` do not have, and asks for every text that was not `seen`.
    pub(super) fn start(&self, known: &BTreeSet<String>, seen: Seen) -> io::Result<Running> {
        let mut log = self.git(&["log", "--stdin", "--ignore-missing", "--raw", "-z", "-c"]);
        log.args(["--no-abbrev", "--no-renames", "--format=%x02%H %cs"]);
        self.only_the_folder(&mut log);
        let mut cat = self.git(&["cat-file", "--batch"]);
        let mut log = Timed::start(log.stdin(Stdio::piped()), self.walk.deadline)?;
        let mut cat = Timed::start(cat.stdin(Stdio::piped()), self.walk.deadline)?;
        let asked = [lines("", self.tips), lines("^", known)].concat();
        log.stdin()?.write_all(asked.as_bytes())?;
        let (items, receiver) = mpsc::sync_channel(AHEAD);
        let reader = Reader {
            items,
            seen,
            asked: cat.stdin()?,
            prefix: self.prefix.clone(),
            commit: "".into(),
            day: "".into(),
        };
        let listed = log.stdout()?;
        std::thread::spawn(move || reader.read(listed));
        Ok(Running {
            log,
            cat,
            items: receiver,
            is_over: false,
        })
    }

    fn git(&self, arguments: &[&str]) -> Command {
        let mut git = self.borrowed.git(self.walk.folder);
        // Large texts are handed over in pieces.
        git.args(["-c", "core.bigFileThreshold=2m"]).args(arguments);
        git
    }

    fn only_the_folder(&self, git: &mut Command) {
        if !self.prefix.is_empty() {
            git.args(["--full-history", "--", "."]);
        }
    }

    fn left(&self) -> Duration {
        self.walk.deadline.saturating_duration_since(Instant::now())
    }
}

impl Running {
    /// Where the texts come from; once.
    pub(super) fn answers(&mut self) -> io::Result<ChildStdout> {
        self.cat.stdout()
    }

    /// What comes next; none at the end, and when the time is up.
    pub(super) fn next(&mut self, deadline: Instant) -> Option<Item> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.items.recv_timeout(left) {
            Ok(item) => Some(item),
            Err(ended) => {
                self.is_over = ended == mpsc::RecvTimeoutError::Disconnected;
                None
            }
        }
    }

    /// Whether all of it was listed and handed over.
    pub(super) fn ended_well(self) -> bool {
        self.is_over && self.log.end().is_ok_and(|ended| ended == Ended::Well)
    }
}

/// Reads the list while git writes it.
struct Reader {
    items: SyncSender<Item>,
    seen: Seen,
    asked: ChildStdin,
    prefix: String,
    commit: Arc<str>,
    day: Arc<str>,
}

impl Reader {
    fn read(mut self, listed: impl Read) {
        let mut listed = BufReader::with_capacity(1 << 16, listed);
        while let Some(part) = next_part(&mut listed) {
            let part = part.trim_start_matches('\n');
            let went_on = match (part.strip_prefix('\u{2}'), part.starts_with(':')) {
                (Some(head), _) => self.commit(head),
                (None, true) => match next_part(&mut listed) {
                    Some(file) => self.change(part, &file),
                    None => return,
                },
                (None, false) => Some(()),
            };
            // Nobody reads any more.
            if went_on.is_none() {
                return;
            }
        }
    }

    fn commit(&mut self, head: &str) -> Option<()> {
        let (commit, day) = head.split_once(' ')?;
        (self.commit, self.day) = (commit.into(), day.into());
        self.items.send(Item::Commit).ok()
    }

    fn change(&mut self, change: &str, file: &str) -> Option<()> {
        let Some(id) = brought(change) else {
            return Some(());
        };
        let Some(file) = file.strip_prefix(&self.prefix).filter(|file| is_text(file)) else {
            return Some(());
        };
        let key = key(file, id);
        let known = self.seen.of(&key);
        if known == Known::Clean {
            return Some(());
        }
        let blob = Blob {
            id: id.to_owned(),
            key,
            file: file.to_owned(),
            commit: Arc::clone(&self.commit),
            day: Arc::clone(&self.day),
        };
        if known == Known::Guilty {
            return self.items.send(Item::Known(blob)).ok();
        }
        self.items.send(Item::Blob(blob)).ok()?;
        writeln!(self.asked, "{id}").ok()
    }
}

/// The regular file that a line of `--raw` brings; none for what is gone, links and submodules.
///
/// `:100644 100755 ID ID M`, or for a merge of n parents n colons, n + 1 modes and n + 1 ids.
fn brought(change: &str) -> Option<&str> {
    let parents = change.bytes().take_while(|byte| *byte == b':').count();
    let mut words = change[parents..].split(' ').skip(parents);
    let mode = words.next()?;
    let id = words.nth(parents)?;
    let is_id = matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    (mode.starts_with("100") && is_id && id.bytes().any(|byte| byte != b'0')).then_some(id)
}

fn lines(mark: &str, ids: &BTreeSet<String>) -> String {
    ids.iter().map(|id| format!("{mark}{id}\n")).collect()
}

/// What comes before the next zero byte.
fn next_part(listed: &mut impl BufRead) -> Option<String> {
    let mut part = Vec::new();
    listed.take(LONGEST).read_until(0, &mut part).ok()?;
    (part.pop() == Some(0)).then(|| String::from_utf8_lossy(&part).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_commit_brought_is_read_from_plain_and_merged_changes() {
        let (one, two, three) = ("1".repeat(40), "2".repeat(40), "3".repeat(40));
        let none = "0".repeat(40);
        for (change, expected) in [
            (format!(":100644 100755 {one} {two} M"), Some(&two)),
            (format!(":000000 100644 {none} {one} A"), Some(&one)),
            (format!(":100644 000000 {one} {none} D"), None),
            (format!(":000000 120000 {none} {one} A"), None),
            (format!(":000000 160000 {none} {one} A"), None),
            (
                format!("::100644 100644 100644 {one} {two} {three} MM"),
                Some(&three),
            ),
            (":100644".to_owned(), None),
        ] {
            assert_eq!(brought(&change), expected.map(String::as_str), "{change}");
        }
    }
}

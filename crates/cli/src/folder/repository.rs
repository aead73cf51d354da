//! The commit that a folder was checked out from.
//!
//! A folder may come from anybody, its `.git` too. So git never reads that repository's settings,
//! which can name programs to run: names are read here, and git only compares files, in a repository
//! of our own that borrows the objects.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use model::provenance::{Commit, FolderState};

use super::timed;

/// How far above the folder a repository may begin.
const LEVELS: usize = 32;
/// A file of names that is longer is none.
const LARGEST: u64 = 4 << 20;
/// How long the comparison may take.
const COMPARED_WITHIN: Duration = Duration::from_secs(2);
/// How many references are read from files of their own.
const REFERENCES: usize = 100_000;
/// What git needs to know of a repository whose names are longer.
const SHA256: &str =
    "[core]\n\trepositoryformatversion = 1\n[extensions]\n\tobjectformat = sha256\n";

/// A repository's folders.
pub(crate) struct Repository {
    /// Where its files lie.
    pub(crate) work: PathBuf,
    /// Where its HEAD and index are.
    pub(crate) own: PathBuf,
    /// Where its objects and branches are; another folder in a linked work tree.
    pub(crate) common: PathBuf,
}

/// The commit of the repository that `folder` is in; `None` when it is in none.
pub(crate) fn commit(folder: &Path) -> Option<Commit> {
    let repository = Repository::of(folder)?;
    let head = read(&repository.own.join("HEAD"))?;
    let head = head.trim();
    let reference = head.strip_prefix("ref: ");
    let id = match reference {
        Some(name) => repository.resolve(name)?,
        None => head.to_owned(),
    };
    is_id(&id).then(|| Commit {
        repository: repository.remote(),
        branch: reference
            .and_then(|name| name.strip_prefix("refs/heads/"))
            .map(str::to_owned),
        state: repository.state(folder, &id),
        id,
    })
}

/// Which of `paths`, relative to `folder`, are part of the repository that it is in; `None` when it
/// is in none, or when that cannot be told.
pub(crate) fn tracked(folder: &Path, paths: &[String]) -> Option<BTreeSet<String>> {
    let borrowed = Repository::of(folder)?.borrow()?;
    let mut git = borrowed.git(folder);
    git.args(["ls-files", "-z", "--"]).args(paths);
    let told = timed::output(&mut git, COMPARED_WITHIN, LARGEST)?;
    let names = told.split(|byte| *byte == 0);
    let names = names.filter_map(|name| std::str::from_utf8(name).ok());
    Some(
        names
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

impl Repository {
    /// The one that `folder` is in.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        let work = folder
            .ancestors()
            .take(LEVELS)
            .find(|level| level.join(".git").symlink_metadata().is_ok())?;
        let place = work.join(".git");
        let own = match place.is_dir() {
            true => place,
            false => work.join(read(&place)?.trim().strip_prefix("gitdir: ")?),
        };
        let common = read(&own.join("commondir"))
            .map_or_else(|| own.clone(), |common| own.join(common.trim()));
        Some(Self {
            work: work.to_owned(),
            own,
            common,
        })
    }

    /// What a branch points to.
    fn resolve(&self, name: &str) -> Option<String> {
        let clean = Path::new(name)
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_)));
        if !clean {
            return None;
        }
        if let Some(id) = read(&self.common.join(name)) {
            return Some(id.trim().to_owned());
        }
        let packed = read(&self.common.join("packed-refs"))?;
        let line = packed.lines().find_map(|line| line.strip_suffix(name));
        line.map(|id| id.trim().to_owned())
    }

    /// The URL of the remote that `git clone` names.
    fn remote(&self) -> Option<String> {
        let settings = read(&self.common.join("config"))?;
        let mut lines = settings.lines().map(str::trim);
        lines.find(|line| *line == r#"[remote "origin"]"#)?;
        let mut section = lines.take_while(|line| !line.starts_with('['));
        section.find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == "url").then(|| value.trim().to_owned())
        })
    }

    /// Whether the folder is what the commit says. What cannot be told is not clean.
    fn state(&self, folder: &Path, id: &str) -> FolderState {
        match self.differs(folder, id) {
            Some(false) => FolderState::Clean,
            _ => FolderState::Dirty,
        }
    }

    fn differs(&self, folder: &Path, id: &str) -> Option<bool> {
        let borrowed = self.borrow()?;
        fs::write(borrowed.own.path().join("HEAD"), format!("{id}\n")).ok()?;
        let mut git = borrowed.git(&self.work);
        git.args(["status", "--porcelain", "--untracked-files=normal", "--"]);
        git.arg(folder);
        let told = timed::output(&mut git, COMPARED_WITHIN, LARGEST)?;
        Some(!told.is_empty())
    }

    /// What its branches, tags and remotes point to.
    pub(crate) fn tips(&self) -> BTreeSet<String> {
        let mut tips = BTreeSet::new();
        for place in [&self.own, &self.common] {
            let head = read(&place.join("HEAD")).unwrap_or_default();
            tips.extend(Some(head.trim()).filter(|id| is_id(id)).map(str::to_owned));
        }
        let packed = read(&self.common.join("packed-refs")).unwrap_or_default();
        let ids = packed.lines().filter_map(|line| line.split_once(' '));
        tips.extend(ids.map(|(id, _)| id.to_owned()).filter(|id| is_id(id)));
        let loose = walkdir::WalkDir::new(self.common.join("refs")).max_depth(LEVELS);
        let loose = loose.into_iter().flatten().take(REFERENCES);
        let loose = loose.filter(|entry| entry.file_type().is_file());
        let ids = loose.filter_map(|entry| read(entry.path()));
        tips.extend(ids.map(|id| id.trim().to_owned()).filter(|id| is_id(id)));
        tips
    }

    /// Whether its history was cut off when it was cloned.
    pub(crate) fn is_shallow(&self) -> bool {
        self.common.join("shallow").exists()
    }

    /// A repository of our own with this one's objects and index, and none of its settings.
    pub(crate) fn borrow(&self) -> Option<Borrowed> {
        self.borrow_with(&self.own.join("index"))
    }

    /// The same with another index, which need not be there.
    pub(crate) fn borrow_with(&self, index: &Path) -> Option<Borrowed> {
        let own = tempfile::tempdir().ok()?;
        fs::create_dir(own.path().join("refs")).ok()?;
        fs::create_dir(own.path().join("objects")).ok()?;
        fs::write(own.path().join("HEAD"), "ref: refs/heads/none\n").ok()?;
        let settings = read(&self.common.join("config")).unwrap_or_default();
        let is_format = |line: &str| line.replace(' ', "") == "objectformat=sha256";
        if settings.lines().any(|line| is_format(line.trim())) {
            fs::write(own.path().join("config"), SHA256).ok()?;
        }
        if is_file(index) {
            fs::copy(index, own.path().join("index")).ok()?;
            self.borrow_shared(index, own.path());
        }
        Some(Borrowed {
            own,
            objects: self.common.join("objects"),
            work: self.work.clone(),
        })
    }

    /// An index may be split into two files.
    fn borrow_shared(&self, index: &Path, own: &Path) {
        let beside = index.parent().and_then(|folder| fs::read_dir(folder).ok());
        for entry in beside.into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_shared = name.as_encoded_bytes().starts_with(b"sharedindex.");
            if is_shared && is_file(&entry.path()) {
                // Without it git fails, which is an answer too.
                let _ = fs::copy(entry.path(), own.join(name));
            }
        }
    }
}

/// A repository of our own that uses another one's objects.
pub(crate) struct Borrowed {
    own: tempfile::TempDir,
    objects: PathBuf,
    work: PathBuf,
}

impl Borrowed {
    /// A call of git in `folder`, which reads no settings but ours.
    pub(crate) fn git(&self, folder: &Path) -> Command {
        let mut git = Command::new("git");
        git.env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("GIT_DIR", self.own.path())
            .env("GIT_WORK_TREE", &self.work)
            .env("GIT_OBJECT_DIRECTORY", &self.objects)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_LITERAL_PATHSPECS", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        git
    }
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn read(path: &Path) -> Option<String> {
    let size = fs::metadata(path).ok()?;
    let fits = size.is_file() && size.len() <= LARGEST;
    fits.then(|| fs::read_to_string(path).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let settings = [
            "user.name=t",
            "user.email=t@example.org",
            "init.defaultBranch=main",
        ];
        let settings = settings.iter().flat_map(|setting| ["-c", setting]);
        let done = Command::new("git")
            .args(settings)
            .args(arguments)
            .current_dir(folder)
            .output()
            .expect("git runs");
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{arguments:?}: {told}");
    }

    fn repository() -> tempfile::TempDir {
        let place = tempfile::tempdir().expect("a folder");
        git(place.path(), &["init", "-q"]);
        fs::create_dir(place.path().join("app")).expect("a folder");
        fs::write(place.path().join("app/main.py"), "1").expect("written");
        git(place.path(), &["add", "."]);
        git(place.path(), &["commit", "-q", "-m", "first"]);
        place
    }

    #[test]
    fn a_folder_in_a_repository_has_its_commit_branch_and_remote() {
        let place = repository();
        assert!(commit(Path::new("/proc")).is_none());
        git(
            place.path(),
            &["remote", "add", "origin", "https://git.example/a"],
        );
        let found = commit(&place.path().join("app")).expect("a commit");
        assert_eq!(found.branch.as_deref(), Some("main"));
        assert_eq!(found.repository.as_deref(), Some("https://git.example/a"));
        assert_eq!((found.id.len(), found.state), (40, FolderState::Clean));
        git(place.path(), &["pack-refs", "--all"]);
        assert_eq!(commit(place.path()).expect("a commit"), found);
        git(place.path(), &["checkout", "-q", "--detach"]);
        assert_eq!(commit(place.path()).expect("a commit").branch, None);
    }

    #[test]
    fn changed_and_new_files_of_the_folder_make_it_dirty_and_those_beside_it_do_not() {
        let place = repository();
        let app = place.path().join("app");
        let state = || commit(&app).expect("a commit").state;
        fs::write(place.path().join("beside"), "").expect("written");
        assert_eq!(state(), FolderState::Clean);
        fs::write(app.join("new"), "").expect("written");
        assert_eq!(state(), FolderState::Dirty);
        fs::remove_file(app.join("new")).expect("removed");
        fs::write(app.join("main.py"), "22").expect("written");
        assert_eq!(state(), FolderState::Dirty);
    }

    #[test]
    fn a_repositorys_own_settings_start_no_program() {
        let place = repository();
        let mark = place.path().join("ran");
        let trap = format!("touch {}", mark.display());
        let attributes = place.path().join("app/.gitattributes");
        fs::write(attributes, "* filter=trap\n").expect("written");
        for name in ["core.fsmonitor", "filter.trap.clean"] {
            git(place.path(), &["config", name, &trap]);
        }
        fs::write(place.path().join("app/main.py"), "22").expect("written");
        commit(&place.path().join("app")).expect("a commit");
        assert!(!mark.exists());
        // The trap works: git itself falls into it.
        let asked = Command::new("git")
            .arg("status")
            .current_dir(place.path())
            .output();
        asked.expect("git runs");
        assert!(mark.exists());
    }
}

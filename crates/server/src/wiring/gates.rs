//! What decides about releases: the checker, the scanner, and the policy.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use advisories::OsvScanner;
use lint::{AppChecker, WorkerCommand};
use model::app::Owner;
use model::policy::PolicyOrigin;
use model::{Failure, FailureCode};
use nix::unistd::{Gid, Uid, User, getgrouplist};
use policy::{Policies, PolicyDecider, Sources};

use super::repository;
use super::scan_cache::ScanCache;
use crate::checks::WORKER;
use crate::config::PolicySource;

/// Whose members may let something pass for a while.
const APPROVERS: &str = "mayfly-approvers";
/// How many files a folder of policies may hold, and how large each may be.
const FILES: usize = 1_000;
const FILE_BYTES: u64 = 1024 * 1024;

/// Reads files in workers that are this program.
pub(super) fn checker(program: &Path, home: &Path) -> Result<AppChecker, Failure> {
    let cache = ScanCache::open(home.join("cache/checks")).map_err(super::unusable)?;
    let worker = WorkerCommand {
        program: program.to_owned(),
        args: vec![WORKER.into()],
    };
    Ok(AppChecker::new(worker, Arc::new(cache)))
}

/// Matches against the data of this home.
pub(super) fn scanner(home: &Path) -> Result<OsvScanner, Failure> {
    let folder = home.join("advisories");
    fs::create_dir_all(&folder).map_err(super::unusable)?;
    Ok(OsvScanner::new(folder.join("index")))
}

/// Decides by the policy that `source` names. One that does not load lets no daemon start: nothing
/// would be gated by it.
pub(super) fn decider(source: &PolicySource, home: &Path) -> Result<PolicyDecider, Failure> {
    let (sources, origin) = match source {
        PolicySource::BuiltIn => (policy::defaults(), PolicyOrigin::BuiltIn),
        PolicySource::Folder(folder) => {
            let origin = PolicyOrigin::Folder(folder.display().to_string());
            (read_folder(folder)?, origin)
        }
        PolicySource::Repository { url, commit } => {
            let files = repository::files(url, commit, &home.join("policies"))?;
            let origin = PolicyOrigin::Repository {
                url: repository::shown(url),
                commit: commit.clone(),
            };
            (files.into_iter().collect(), origin)
        }
    };
    let policies = Policies::load(sources).map_err(|error| Failure::of(&error))?;
    Ok(PolicyDecider::new(policies, origin))
}

/// The `.rego` files of a folder, those of its folders too.
pub(crate) fn read_folder(folder: &Path) -> Result<Sources, Failure> {
    let mut files = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(folder.join(&at)).map_err(|cause| unread(folder, &cause))? {
            let entry = entry.map_err(|cause| unread(folder, &cause))?;
            let path = at.join(entry.file_name());
            let metadata = entry.metadata().map_err(|cause| unread(folder, &cause))?;
            if metadata.is_dir() {
                open.push(path);
                continue;
            }
            let is_policy = path.extension().is_some_and(|end| end == "rego");
            if is_policy && metadata.is_file() {
                files.push(read_file(folder, &path, metadata.len())?);
            }
            if files.len() > FILES {
                return Err(too_large(folder, "it has too many files"));
            }
        }
    }
    Ok(files.into_iter().collect())
}

fn read_file(folder: &Path, path: &Path, size: u64) -> Result<(String, String), Failure> {
    if size > FILE_BYTES {
        return Err(too_large(
            folder,
            &format!("`{}` is too large", path.display()),
        ));
    }
    let text = fs::read_to_string(folder.join(path)).map_err(|cause| unread(folder, &cause))?;
    Ok((path.to_string_lossy().into_owned(), text))
}

fn unread(folder: &Path, cause: &std::io::Error) -> Failure {
    let text = format!("the policy's folder `{}` cannot be read", folder.display());
    Failure::new(FailureCode::Usage, text)
        .because(cause.to_string())
        .hint("name a folder of `.rego` files with `mayfly serve --policy DIR`")
}

fn too_large(folder: &Path, why: &str) -> Failure {
    let text = format!("the policy's folder `{}` is none", folder.display());
    Failure::new(FailureCode::Usage, text)
        .because(why)
        .hint("name a folder of `.rego` files with `mayfly serve --policy DIR`")
}

/// Root, and members of the group of approvers.
pub(super) fn may_approve(owner: Owner) -> bool {
    let uid = Uid::from_raw(owner.uid);
    uid.is_root() || is_member(uid).unwrap_or(false)
}

fn is_member(uid: Uid) -> Option<bool> {
    let group = nix::unistd::Group::from_name(APPROVERS).ok()??;
    let user = User::from_uid(uid).ok()??;
    let name = std::ffi::CString::new(user.name).ok()?;
    let groups: Vec<Gid> = getgrouplist(&name, user.gid).ok()?;
    Some(groups.contains(&group.gid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_gives_its_policies_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("below")).expect("a folder");
        for (name, text) in [
            ("a.rego", "package mayfly"),
            ("below/b.rego", "package mayfly"),
            ("README.md", "words"),
        ] {
            fs::write(folder.path().join(name), text).expect("a file");
        }
        let sources = read_folder(folder.path()).expect("policies");
        assert!(sources.text("a.rego").is_some() && sources.text("below/b.rego").is_some());
        assert_eq!(sources.text("README.md"), None);
        let failure = read_folder(&folder.path().join("none")).expect_err("no folder");
        assert_eq!(failure.code, FailureCode::Usage);
    }

    #[test]
    fn a_policy_that_does_not_load_lets_no_daemon_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = tempfile::tempdir().expect("a folder");
        let source = PolicySource::Folder(folder.path().to_owned());
        for text in [
            "package mayfly",
            "package mayfly\ndeny contains x if { nonsense(1) }",
        ] {
            fs::write(folder.path().join("a.rego"), text).expect("a file");
            assert!(decider(&source, home.path()).is_err(), "{text}");
        }
        assert!(decider(&PolicySource::BuiltIn, home.path()).is_ok());
    }

    #[test]
    fn root_may_approve_and_a_stranger_may_not() {
        assert!(may_approve(Owner { uid: 0 }));
        assert!(!may_approve(Owner { uid: 4_000_000 }));
    }
}

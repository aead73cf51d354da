//! The files of one commit of a git repository, fetched with `git`.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

use model::{Failure, FailureCode};

/// Files of a policy are small, and few.
const FILE_BYTES: usize = 1024 * 1024;
const FILES: usize = 1_000;

/// The `.rego` files of `commit` of the repository at `url`. What was fetched stays in `kept`, so
/// that a daemon starts without the network, too.
///
/// Nothing of the repository is run: it is fetched into a bare repository of ours, without hooks,
/// and its files are read as objects.
pub(super) fn files(
    url: &str,
    commit: &str,
    kept: &Path,
) -> Result<Vec<(String, String)>, Failure> {
    check(url, commit)?;
    let folder = kept.join(commit);
    let failed = |why: String| fetch_failed(url, commit, &why);
    if !folder.join("HEAD").exists() {
        std::fs::create_dir_all(kept).map_err(|error| failed(error.to_string()))?;
        git(kept, ["init", "--quiet", "--bare", commit]).map_err(failed)?;
    }
    let is_there = git(&folder, ["cat-file", "-e", &format!("{commit}^{{commit}}")]).is_ok();
    if !is_there {
        let fetch = [
            "fetch",
            "--quiet",
            "--no-tags",
            "--depth=1",
            "--",
            url,
            commit,
        ];
        git(&folder, fetch).map_err(failed)?;
    }
    let tree = ["ls-tree", "-r", "-z", "--name-only", commit];
    let names = git(&folder, tree).map_err(failed)?;
    let names = String::from_utf8_lossy(&names).into_owned();
    let names: Vec<&str> = names
        .split('\0')
        .filter(|name| name.ends_with(".rego"))
        .collect();
    if names.len() > FILES {
        return Err(failed("it has too many policies".to_owned()));
    }
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let object = format!("{commit}:{name}");
        let text = git(&folder, ["cat-file", "blob", &object]).map_err(failed)?;
        if text.len() > FILE_BYTES {
            return Err(failed(format!("`{name}` is too large")));
        }
        let text = String::from_utf8(text).map_err(|_| failed(format!("`{name}` is no UTF-8")))?;
        files.push((name.to_owned(), text));
    }
    Ok(files)
}

/// A URL without the name and password that it may carry.
pub(super) fn shown(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(mut parsed) => {
            let _ = parsed.set_username("");
            let _ = parsed.set_password(None);
            parsed.to_string()
        }
        Err(_) => url.to_owned(),
    }
}

/// A commit is named in full: a branch moves, and a short name can come to mean something else.
fn check(url: &str, commit: &str) -> Result<(), Failure> {
    let is_full = matches!(commit.len(), 40 | 64) && commit.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_full {
        let text = format!("`{commit}` is no commit");
        return Err(Failure::new(FailureCode::Usage, text)
            .hint("give all 40 digits of it with `--policy-commit`"));
    }
    if ["https://", "ssh://", "file://"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        return Ok(());
    }
    Err(Failure::new(
        FailureCode::Usage,
        format!("`{url}` is no URL of a repository"),
    )
    .hint("give one that begins with https://, ssh:// or file://"))
}

fn fetch_failed(url: &str, commit: &str, why: &str) -> Failure {
    let text = format!("the policy cannot be read from {} at {commit}", shown(url));
    Failure::new(FailureCode::Network, text)
        .because(why.trim())
        .hint("check the URL and the commit with `git fetch`, or use `--policy DIR`")
}

/// What git prints, or what it complains about.
fn git<S: AsRef<OsStr>>(
    folder: &Path,
    args: impl IntoIterator<Item = S>,
) -> Result<Vec<u8>, String> {
    let output = Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "core.hooksPath=/dev/null",
            "-c",
            "protocol.ext.allow=never",
        ])
        .args([
            "-c",
            "core.fsmonitor=false",
            "-c",
            "credential.interactive=false",
        ])
        .args(args)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("git: {error}"))?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(folder: &Path) -> String {
        let run = |args: &[&str]| git(folder, args).expect("git");
        run(&["init", "--quiet"]);
        std::fs::write(folder.join("a.rego"), "package mayfly\n").expect("a file");
        std::fs::write(folder.join("b.txt"), "words\n").expect("a file");
        run(&["add", "."]);
        run(&[
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.org",
            "commit",
            "--quiet",
            "-m",
            "one",
        ]);
        let head = run(&["rev-parse", "HEAD"]);
        String::from_utf8_lossy(&head).trim().to_owned()
    }

    #[test]
    fn a_commit_gives_its_policies_also_when_its_repository_is_gone() {
        let kept = tempfile::tempdir().expect("a folder");
        let repository = tempfile::tempdir().expect("a folder");
        let commit = commit(repository.path());
        let url = format!("file://{}", repository.path().display());
        let expected = vec![("a.rego".to_owned(), "package mayfly\n".to_owned())];
        assert_eq!(files(&url, &commit, kept.path()).expect("files"), expected);
        drop(repository);
        assert_eq!(files(&url, &commit, kept.path()).expect("files"), expected);
        let other = "0".repeat(40);
        assert_eq!(
            files(&url, &other, kept.path())
                .expect_err("no commit")
                .code,
            FailureCode::Network
        );
    }

    #[test]
    fn what_is_no_full_commit_or_no_url_is_refused() {
        let kept = tempfile::tempdir().expect("a folder");
        let full = "0".repeat(40);
        for (url, commit) in [
            ("file:///x", "main"),
            ("file:///x", "abc123"),
            ("ext::sh -c id", full.as_str()),
            ("--upload-pack=id", full.as_str()),
        ] {
            let refused = files(url, commit, kept.path()).expect_err(url);
            assert_eq!(refused.code, FailureCode::Usage, "{url} {commit}");
        }
        assert_eq!(
            shown("https://ann:secret@example.org/p"),
            "https://example.org/p"
        );
    }
}

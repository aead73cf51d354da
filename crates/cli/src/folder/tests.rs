//! What a folder may be, and what it may not.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use model::failure::Failure;
use model::snapshot::Mode;
use nix::sys::stat::Mode as Permissions;
use nix::unistd::{Uid, mkfifo, setfsuid};

use super::*;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a folder");
    for (path, content) in files {
        let path = place.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    place
}

fn small() -> Reading {
    Reading {
        limits: SourceLimits {
            total_bytes: 1000,
            files: 4,
        },
        caches: None,
    }
}

fn read(folder: &Path) -> Result<Taken, Failure> {
    Ok(take(&Root::open(folder)?, &small())?)
}

fn paths(taken: &Taken) -> Vec<&str> {
    taken.snapshot.entries.iter().map(Entry::path).collect()
}

/// The failure as a user reads it, with the folder's own name taken out.
fn refusal(folder: &Path) -> String {
    let failure = read(folder).expect_err("it has to be refused");
    let text = crate::face::Explained::new(&failure, crate::face::Style::Plain).to_string();
    let code = crate::exit::Exit::of_failure(&failure);
    format!("{text}\nexit: {}", code as u8).replace(&folder.display().to_string(), "DIR")
}

#[test]
fn a_folder_is_read_without_what_does_not_belong_to_the_app() {
    let place = folder(&[
        ("app.py", "print(1)"),
        ("templates/index.html", "<p>"),
        (".env", "API_KEY=x\nexport DEBUG=1"),
        (".env.example", "API_KEY="),
        ("node_modules/x/index.js", "x"),
        ("__pycache__/app.pyc", "x"),
        (".git/HEAD", "x"),
        ("drafts/a.md", "x"),
        ("notes.log", "x"),
        (".mayflyignore", "drafts/\n*.log\n"),
    ]);
    symlink("index.html", place.path().join("templates/home.html")).expect("a link");
    let run = fs::Permissions::from_mode(0o755);
    fs::set_permissions(place.path().join("app.py"), run).expect("permissions");
    let taken = read(place.path()).expect("a good folder");
    assert_eq!(
        paths(&taken),
        [
            ".env.example",
            "app.py",
            "templates/home.html",
            "templates/index.html"
        ]
    );
    assert_eq!(taken.snapshot.env_keys, ["API_KEY", "DEBUG"]);
    assert_eq!(
        taken.snapshot.entries[1],
        Entry::File {
            path: "app.py".into(),
            digest: Digest::of(b"print(1)"),
            size_bytes: 8,
            mode: Mode::Executable,
        }
    );
    assert!(taken.notices.is_empty(), "{:?}", taken.notices);
}

#[test]
fn a_folder_reads_the_same_under_another_name_and_by_several_threads() {
    let large = "x".repeat(PARALLEL_FROM_BYTES as usize);
    let files = [("a/large", large.as_str()), ("b", "2"), ("c", "3")];
    let (one, two) = (folder(&files), folder(&files));
    let take_whole = |place: &tempfile::TempDir| {
        let root = Root::open(place.path()).expect("the folder");
        take(&root, &Reading::default())
            .expect("a good folder")
            .snapshot
    };
    let snapshot = take_whole(&one);
    assert_eq!(snapshot.digest(), take_whole(&two).digest());
    let digests: Vec<_> = snapshot.digests().collect();
    assert_eq!(
        digests,
        [
            Digest::of(large.as_bytes()),
            Digest::of(b"2"),
            Digest::of(b"3")
        ]
    );
}

#[test]
fn special_files_are_passed_over_with_a_notice() {
    let place = folder(&[("app.py", "x")]);
    mkfifo(&place.path().join("pipe"), Permissions::S_IRUSR).expect("a fifo");
    let socket = place.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(socket).expect("a socket");
    let taken = read(place.path()).expect("a good folder");
    assert_eq!(paths(&taken), ["app.py"]);
    assert_eq!(
        taken.notices,
        [
            "`pipe` is no regular file and stays out of the app",
            "`socket` is no regular file and stays out of the app",
        ]
    );
}

#[test]
fn an_env_file_that_cannot_be_read_is_named_without_its_text() {
    let place = folder(&[("app.py", "x"), ("back/.env", "A=1\nhunter2")]);
    let taken = read(place.path()).expect("a good folder");
    let notice = "back/.env: line 2 is not NAME=value; its variables are not seen";
    assert_eq!(taken.notices, [notice]);
}

#[test]
fn a_folder_that_is_missing_or_none_is_refused() {
    let place = folder(&[("index.html", "x")]);
    insta::assert_snapshot!(refusal(&place.path().join("none")), @"
    error: there is no folder `DIR`
    hint: run `mayfly up` in the app's folder, or name that folder
    exit: 2
    ");
    insta::assert_snapshot!(refusal(&place.path().join("index.html")), @"
    error: `DIR` is not a folder
    hint: name the folder that the file lies in: `mayfly up .`
    exit: 2
    ");
}

#[test]
fn a_folder_without_files_of_its_own_is_refused() {
    let place = folder(&[("node_modules/x.js", "x"), (".env", "A=1")]);
    insta::assert_snapshot!(refusal(place.path()), @"
    error: the folder has no files
    hint: put the app's files there, or name another folder: `mayfly up DIR`
    exit: 2
    ");
}

#[test]
fn a_file_of_five_gigabytes_is_refused_before_it_is_read() {
    let place = folder(&[("app.py", "x")]);
    let file = File::create(place.path().join("dump.bin")).expect("a file");
    file.set_len(5 << 30).expect("a sparse file");
    let began = std::time::Instant::now();
    insta::assert_snapshot!(refusal(place.path()), @"
    error: the folder holds more than 1000 B; the largest file seen is `dump.bin` with 5 GB
    hint: if the app does not need it: `echo 'dump.bin' >> .mayflyignore`; else start the daemon with `mayfly serve --source-size SIZE`
    exit: 5
    ");
    assert!(
        began.elapsed().as_secs_f64() < 0.5,
        "it takes a second and more to read it"
    );
}

#[test]
fn a_folder_with_too_many_files_names_the_fullest_one() {
    let files: Vec<_> = (0..9)
        .map(|number| format!("photos/{number}.jpg"))
        .collect();
    let files: Vec<_> = files.iter().map(|file| (file.as_str(), "x")).collect();
    let place = folder(&files);
    insta::assert_snapshot!(refusal(place.path()), @"
    error: the folder has more than 4 files
    hint: if the app does not need it: `echo 'photos/' >> .mayflyignore`; else start the daemon with `mayfly serve --source-files COUNT`
    exit: 5
    ");
}

#[test]
fn a_link_out_of_the_folder_is_refused() {
    for target in ["/etc/passwd", "../outside"] {
        let place = folder(&[("app.py", "x")]);
        symlink(target, place.path().join("link")).expect("a link");
        let text = refusal(place.path());
        assert!(text.contains(&format!(
            "the link `link` points out of the folder, to `{target}`"
        )));
    }
    let place = folder(&[("app.py", "x")]);
    symlink("/etc/passwd", place.path().join("link")).expect("a link");
    insta::assert_snapshot!(refusal(place.path()), @"
    error: the link `link` points out of the folder, to `/etc/passwd`
    hint: copy what it points to into the folder, or `echo 'link' >> .mayflyignore`
    exit: 2
    ");
}

#[test]
fn names_that_no_app_can_have_are_shown_escaped() {
    for (name, shown) in [
        (&b"a\nb"[..], "`a\\nb` is not a path that an app can have"),
        (
            b"\x1b[31mred",
            "`\\u{1b}[31mred` is not a path that an app can have",
        ),
        (
            b"caf\xe9.html",
            "the name `caf\\xE9.html` is not UTF-8 text",
        ),
    ] {
        let place = folder(&[("app.py", "x")]);
        let path = place.path().join(std::ffi::OsStr::from_bytes(name));
        fs::write(path, "x").expect("a file");
        let text = refusal(place.path());
        assert!(text.starts_with(&format!("error: {shown}\n")), "{text}");
        assert!(text.ends_with("exit: 2"), "{text}");
    }
}

#[test]
fn a_file_that_its_caller_may_not_read_is_named() {
    let place = folder(&[("app.py", "x"), ("private/key", "x")]);
    let own = |mode| fs::Permissions::from_mode(mode);
    fs::set_permissions(place.path(), own(0o755)).expect("permissions");
    fs::set_permissions(place.path().join("app.py"), own(0o600)).expect("permissions");
    insta::assert_snapshot!(as_nobody(|| refusal(place.path())), @"
    error: `app.py` cannot be read
      caused by: Permission denied (os error 13)
    hint: run `chmod -R u+rX 'app.py'`, or leave it out with a line in .mayflyignore
    exit: 2
    ");
    fs::set_permissions(place.path().join("app.py"), own(0o644)).expect("permissions");
    fs::set_permissions(place.path().join("private"), own(0o700)).expect("permissions");
    insta::assert_snapshot!(as_nobody(|| refusal(place.path())), @"
    error: `private` cannot be read
      caused by: Permission denied (os error 13)
    hint: run `chmod -R u+rX 'private'`, or leave it out with a line in .mayflyignore
    exit: 2
    ");
    fs::set_permissions(place.path().join("private"), own(0o755)).expect("permissions");
    let all = as_nobody(|| read(place.path()).map(|taken| paths(&taken).len()));
    assert_eq!(all, Ok(2));
}

/// Runs `work` in a thread whose file accesses are those of a user without rights (setfsuid(2)).
fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let in_thread = || {
        setfsuid(Uid::from_raw(65534));
        work()
    };
    std::thread::scope(|scope| scope.spawn(in_thread).join().expect("no panic"))
}

#[test]
fn a_bad_line_in_the_ignore_file_is_named() {
    let place = folder(&[("app.py", "x"), (".mayflyignore", "*.log\n!keep.log")]);
    insta::assert_snapshot!(refusal(place.path()), @"
    error: .mayflyignore:2: `!keep.log`: exceptions are not supported
    hint: a line names a file, `*.log`, or a folder, `drafts/`
    exit: 2
    ");
}

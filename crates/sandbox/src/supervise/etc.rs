//! The files of `/etc` that programs look for and that layers made without package scripts lack.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};

use crate::beneath::{make_inside, open_inside};
use crate::plan::{APP_UID, HOME};

/// Writes them into the root file system `root`. Accounts that a layer has stay.
pub(super) fn write(root: &OwnedFd, name: &str) -> io::Result<()> {
    let etc = make_inside(root.as_fd(), Path::new("/etc"))?;
    let host = name.split('.').next().unwrap_or("app");
    put(
        &etc,
        "hosts",
        &format!("127.0.0.1\tlocalhost {host}\n::1\tlocalhost\n"),
    )?;
    put(&etc, "hostname", &format!("{host}\n"))?;
    // There is no name server: the proxy resolves.
    put(&etc, "resolv.conf", "")?;
    let root_user = "root:x:0:0:root:/root:/usr/sbin/nologin\n";
    let nobody = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
    let user = format!("app:x:{APP_UID}:{APP_UID}:app:{HOME}:/bin/sh\n");
    let users = with(read(&etc, "passwd")?, &[root_user, nobody, &user]);
    put(&etc, "passwd", &users)?;
    let group = format!("app:x:{APP_UID}:\n");
    let groups = with(
        read(&etc, "group")?,
        &["root:x:0:\n", "nogroup:x:65534:\n", &group],
    );
    put(&etc, "group", &groups)?;
    if read(&etc, "nsswitch.conf")?.is_empty() {
        put(
            &etc,
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files dns\n",
        )?;
    }
    Ok(())
}

/// `text` without other lines for the ids of `lines`, and with `lines` where their name is missing.
fn with(text: String, lines: &[&str]) -> String {
    let app = format!(":{APP_UID}:");
    let mut kept: String = text
        .lines()
        .filter(|line| !line.contains(&app))
        .map(|line| format!("{line}\n"))
        .collect();
    for line in lines {
        let name = line.split(':').next().unwrap_or_default();
        let there = kept.lines().any(|old| old.split(':').next() == Some(name));
        if !there {
            kept.push_str(line);
        }
    }
    kept
}

fn read(etc: &OwnedFd, name: &str) -> io::Result<String> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW;
    let Ok(file) = open_inside(etc, Path::new(name), flags) else {
        return Ok(String::new());
    };
    let mut text = String::new();
    let file = std::fs::File::from(file);
    // A layer's file is hostile input: neither long nor odd ones are taken over.
    match file.take(1 << 20).read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(_) => Ok(String::new()),
    }
}

fn put(etc: &OwnedFd, name: &str, text: &str) -> io::Result<()> {
    match unlinkat(etc, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => {}
        Err(cause) => return Err(cause.into()),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(etc, name, flags, Mode::from_raw_mode(0o644))?;
    std::fs::File::from(file).write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::with;

    #[test]
    fn accounts_of_a_layer_stay_and_the_apps_is_added_once() {
        let old = "root:x:0:0::/root:/bin/sh\nvagrant:x:1000:1000::/:/bin/sh\n".to_owned();
        let lines = ["root:x:0:0:other\n", "app:x:1000:1000:app\n"];
        let new = with(old, &lines);
        assert_eq!(new, "root:x:0:0::/root:/bin/sh\napp:x:1000:1000:app\n");
        assert_eq!(with(new.clone(), &lines), new);
    }
}

//! What maintainer scripts would have done, and what every root file system needs beside packages.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use model::snapshot::Mode;

use super::control::field;
use super::deb::{MERGED, Unpacked};
use super::pin::Pin;
use crate::layer::{LayerError, Place};

/// Folders that a sandbox mounts something on, or that programs expect.
const FOLDERS: [&str; 17] = [
    "app",
    "dev",
    "etc",
    "home",
    "home/app",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "srv",
    "sys",
    "tmp",
    "usr/local/bin",
    "var/cache",
    "var/log",
    "var/tmp",
];

const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/sh
app:x:1000:1000:app:/home/app:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
";
const GROUP: &str = "root:x:0:\ntty:x:5:\napp:x:1000:\nnogroup:x:65534:\n";
const HOSTS: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n";
const NSSWITCH: &str = "\
passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
ethers: files
rpc: files
";

/// Programs that busybox stands in for where no package brings the real one. Scripts of packages
/// begin with `#!/usr/bin/env`, and start commands use the rest.
const APPLETS: [&str; 68] = [
    "awk",
    "basename",
    "cat",
    "chmod",
    "chown",
    "clear",
    "cmp",
    "cp",
    "cut",
    "date",
    "dd",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "env",
    "expr",
    "false",
    "find",
    "fold",
    "free",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "hostname",
    "id",
    "kill",
    "less",
    "ln",
    "ls",
    "md5sum",
    "mkdir",
    "mktemp",
    "mv",
    "nc",
    "nohup",
    "nproc",
    "od",
    "paste",
    "printf",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rm",
    "rmdir",
    "sed",
    "seq",
    "sha256sum",
    "sleep",
    "sort",
    "stat",
    "tail",
    "tar",
    "tee",
    "test",
    "timeout",
    "touch",
    "tr",
    "true",
    "uname",
    "uniq",
    "wc",
    "wget",
    "which",
    "xargs",
];

/// Links and folders that must be there before any package is unpacked.
pub(super) fn prepare(place: &Place) -> Result<(), LayerError> {
    for folder in MERGED {
        place.folder(&format!("usr/{folder}"))?;
        place.link(folder, &format!("usr/{folder}"))?;
    }
    Ok(())
}

/// Adds what the packages' own scripts would have added, and dpkg's notes of them. All packages are
/// in place.
pub(super) fn finish(
    place: &Place,
    pin: &Pin,
    packages: &BTreeMap<String, Unpacked>,
) -> Result<(), LayerError> {
    for folder in FOLDERS {
        place.folder(folder)?;
    }
    for (path, text) in [
        ("etc/passwd", PASSWD),
        ("etc/group", GROUP),
        ("etc/hosts", HOSTS),
        ("etc/nsswitch.conf", NSSWITCH),
    ] {
        file_unless_there(place, path, text.as_bytes())?;
    }
    let bundle = certificates(place.root()).map_err(LayerError::at(place.root()))?;
    file_unless_there(place, "etc/ssl/certs/ca-certificates.crt", &bundle)?;
    notes(place, packages)?;
    links(place, pin)
}

fn links(place: &Place, pin: &Pin) -> Result<(), LayerError> {
    // OpenSSL's own folder is in a package that bases do without.
    link_unless_there(place, "usr/lib/ssl/certs", "/etc/ssl/certs")?;
    link_unless_there(
        place,
        "usr/lib/ssl/cert.pem",
        "/etc/ssl/certs/ca-certificates.crt",
    )?;
    if place.has("usr/bin/dash") {
        link_unless_there(place, "usr/bin/sh", "dash")?;
    }
    if place.has("usr/bin/python3") {
        link_unless_there(place, "usr/bin/python", "python3")?;
    }
    if place.has("usr/bin/busybox") {
        for applet in APPLETS {
            link_unless_there(place, &format!("usr/bin/{applet}"), "busybox")?;
        }
    }
    if pin.packages.iter().any(|package| package.package == "gcc") {
        link_unless_there(place, "usr/bin/cc", "gcc")?;
        link_unless_there(place, "usr/bin/c++", "g++")?;
    }
    Ok(())
}

fn link_unless_there(place: &Place, path: &str, target: &str) -> Result<(), LayerError> {
    match place.has(path) {
        true => Ok(()),
        false => Ok(place.link(path, target)?),
    }
}

fn file_unless_there(place: &Place, path: &str, bytes: &[u8]) -> Result<(), LayerError> {
    if place.has(path) {
        return Ok(());
    }
    let mut file = place.file(path, Mode::Plain)?;
    file.write_all(bytes).map_err(LayerError::at(path))?;
    Ok(place.seal(&file, path)?)
}

/// All certificates of the package, as `update-ca-certificates` would have joined them.
fn certificates(root: &Path) -> io::Result<Vec<u8>> {
    let folder = root.join("usr/share/ca-certificates/mozilla");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files: Vec<_> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "crt"));
    files.sort();
    let mut bundle = Vec::new();
    for file in files {
        bundle.extend(fs::read(file)?);
        if bundle.last() != Some(&b'\n') {
            bundle.push(b'\n');
        }
    }
    Ok(bundle)
}

/// What scanners and bills of materials read: the list of installed packages, and the files of
/// each. Source: dpkg(1), dpkg-query(1).
fn notes(place: &Place, packages: &BTreeMap<String, Unpacked>) -> Result<(), LayerError> {
    let status: String = packages.values().map(status_of).collect();
    file_unless_there(place, "var/lib/dpkg/status", status.as_bytes())?;
    file_unless_there(place, "var/lib/dpkg/info/format", b"1\n")?;
    for (name, package) in packages {
        let of = |key| field(&package.control, key).unwrap_or_default();
        let name = match of("Multi-Arch") {
            "same" => format!("{name}:{}", of("Architecture")),
            _ => name.clone(),
        };
        let lines = package.files.iter().map(|file| format!("/{file}\n"));
        let list = std::iter::once("/.\n".to_owned()).chain(lines);
        let list: String = list.collect();
        let path = format!("var/lib/dpkg/info/{name}.list");
        file_unless_there(place, &path, list.as_bytes())?;
    }
    Ok(())
}

/// The fields that dpkg takes over from a package, in the order in which it writes them.
const FIELDS: [&str; 22] = [
    "Package",
    "Essential",
    "Protected",
    "Status",
    "Priority",
    "Section",
    "Installed-Size",
    "Maintainer",
    "Architecture",
    "Multi-Arch",
    "Source",
    "Version",
    "Replaces",
    "Provides",
    "Depends",
    "Pre-Depends",
    "Recommends",
    "Suggests",
    "Breaks",
    "Conflicts",
    "Description",
    "Homepage",
];

fn status_of(package: &Unpacked) -> String {
    let mut paragraph = String::new();
    for name in FIELDS {
        let value = match name {
            "Status" => Some("install ok installed"),
            name => field(&package.control, name),
        };
        if let Some(value) = value {
            paragraph += &format!("{name}: {value}\n");
        }
    }
    paragraph + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_listed_as_dpkg_lists_it() {
        let control = "Package: libc6\nSource: glibc\nVersion: 2.41-12\nArchitecture: amd64\nMaintainer: x\nDepends: libgcc-s1,\n y\nTask: z\nDescription: short\n long\n .\n more\n";
        let package = Unpacked {
            control: control.into(),
            files: Default::default(),
        };
        assert_eq!(
            status_of(&package),
            "Package: libc6\nStatus: install ok installed\nMaintainer: x\nArchitecture: amd64\nSource: glibc\nVersion: 2.41-12\nDepends: libgcc-s1,\n y\nDescription: short\n long\n .\n more\n\n"
        );
    }
}

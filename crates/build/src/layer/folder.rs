//! Makes a folder that a build command wrote into one that a layer may be.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, lchown};
use std::path::Path;

use model::snapshot::Mode;

use super::LayerError;
use super::place::{file_mode, folder_mode, set_time};

/// Gives everything in `root` to root, with modes 755 and 644 and time 0; removes sockets, pipes
/// and extended attributes; and replaces hard links by copies, so that nothing outside shares a
/// file with the layer.
///
/// Nobody else may write to the folder meanwhile. Devices are refused.
pub fn normalise(root: &Path) -> Result<(), LayerError> {
    walk(root, "")?;
    own_folder(root, "")
}

fn walk(folder: &Path, prefix: &str) -> Result<(), LayerError> {
    for entry in fs::read_dir(folder).map_err(LayerError::at(folder))? {
        let path = entry.map_err(LayerError::at(folder))?.path();
        let about = fs::symlink_metadata(&path).map_err(LayerError::at(&path))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let below = match prefix {
            "" => name.into_owned(),
            _ => format!("{prefix}/{name}"),
        };
        if about.is_dir() {
            walk(&path, &below)?;
            own_folder(&path, &below)?;
        } else {
            own_leaf(&path, &about).map_err(LayerError::at(&path))?;
        }
    }
    Ok(())
}

fn own_folder(path: &Path, below: &str) -> Result<(), LayerError> {
    let mode = Permissions::from_mode(folder_mode(below));
    strip_attributes(path)
        .and_then(|()| chown(path, Some(0), Some(0)))
        .and_then(|()| fs::set_permissions(path, mode))
        .and_then(|()| set_time(path))
        .map_err(LayerError::at(path))
}

fn own_leaf(path: &Path, about: &Metadata) -> io::Result<()> {
    let kind = about.file_type();
    if kind.is_socket() || kind.is_fifo() {
        return fs::remove_file(path);
    }
    if kind.is_block_device() || kind.is_char_device() {
        return Err(io::Error::other("a layer cannot have devices"));
    }
    if about.nlink() > 1 && kind.is_file() {
        copy_in_place(path)?;
    }
    if about.uid() != 0 || about.gid() != 0 {
        lchown(path, Some(0), Some(0))?;
    }
    if kind.is_file() {
        own_file_mode(path, about.mode())?;
        strip_attributes(path)?;
    }
    set_time(path)
}

fn own_file_mode(path: &Path, mode: u32) -> io::Result<()> {
    let executable = mode & 0o111 != 0;
    let wanted = file_mode(if executable {
        Mode::Executable
    } else {
        Mode::Plain
    });
    // Giving a file to root clears set-user-id bits, and so does the mode itself.
    fs::set_permissions(path, Permissions::from_mode(wanted))
}

fn copy_in_place(path: &Path) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".mayfly-copy");
    let copy = path.with_file_name(name);
    let mut from = fs::File::open(path)?;
    let mut to = fs::File::create_new(&copy)?;
    io::copy(&mut from, &mut to)?;
    fs::rename(copy, path)
}

fn strip_attributes(path: &Path) -> io::Result<()> {
    let mut names = [0u8; 4096];
    let size = match rustix::fs::llistxattr(path, &mut names[..]) {
        Ok(size) => size,
        Err(rustix::io::Errno::NOTSUP) => 0,
        Err(cause) => return Err(cause.into()),
    };
    for name in names[..size]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        rustix::fs::lremovexattr(path, name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_left_behind_becomes_plain_files_of_root() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().join("layer");
        fs::create_dir_all(root.join("a/tmp")).expect("folders");
        fs::write(home.path().join("outside"), "shared").expect("a file");
        fs::hard_link(home.path().join("outside"), root.join("a/inside")).expect("a hard link");
        fs::write(root.join("run"), "#!").expect("a file");
        let odd = Permissions::from_mode(0o4711);
        fs::set_permissions(root.join("run"), odd).expect("a mode");
        std::os::unix::fs::symlink("/etc/passwd", root.join("link")).expect("a link");
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).expect("bound");

        normalise(&root).expect("a good folder");

        let mode = |path: &str| fs::symlink_metadata(root.join(path)).expect(path).mode() & 0o7777;
        assert_eq!(
            (mode("run"), mode("a"), mode("a/inside")),
            (0o755, 0o755, 0o644)
        );
        assert_eq!(
            fs::metadata(root.join("a/inside")).expect("a file").nlink(),
            1
        );
        assert_eq!(fs::metadata(root.join("run")).expect("a file").mtime(), 0);
        assert!(!root.join("socket").exists());
        let target = fs::read_link(root.join("link")).expect("still a link");
        assert_eq!(target, Path::new("/etc/passwd"));
    }
}

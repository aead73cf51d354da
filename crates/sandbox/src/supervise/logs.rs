//! An app's log files: one line for each line that it prints, in files of limited size.
//!
//! A line is `<RFC 3339 time> <o|e> <text>`; `o` is standard output. `app.log` is the current file,
//! `app.log.1` the one before, and so on.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use model::Timestamp;
use model::limits::RunLimits;
use model::progress::Stream;

/// Writes an app's lines.
pub(super) struct Logs {
    folder: PathBuf,
    file: File,
    size: u64,
    file_bytes: u64,
    files: u32,
}

impl Logs {
    /// Opens `app.log` in `folder`, which is made.
    pub(super) fn open(folder: &Path, limits: &RunLimits) -> io::Result<Self> {
        crate::folder::make_private(folder)?;
        let file = open(&folder.join("app.log"))?;
        Ok(Self {
            size: file.metadata()?.len(),
            folder: folder.to_owned(),
            file,
            file_bytes: limits.log_file_bytes.max(1),
            files: limits.log_files.max(1),
        })
    }

    /// Writes one line. A full disk loses it: the app must not stop for its log.
    pub(super) fn write(&mut self, stream: Stream, text: &[u8], now: Timestamp) {
        let letter = match stream {
            Stream::Stdout => 'o',
            Stream::Stderr => 'e',
        };
        let mut line = format!("{now:.3} {letter} ").into_bytes();
        line.extend_from_slice(text);
        line.push(b'\n');
        if self.size > 0 && self.size + line.len() as u64 > self.file_bytes {
            let _ = self.rotate();
        }
        if self.file.write_all(&line).is_ok() {
            self.size += line.len() as u64;
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        let name = |number: u32| match number {
            0 => self.folder.join("app.log"),
            number => self.folder.join(format!("app.log.{number}")),
        };
        for number in (0..self.files - 1).rev() {
            let _ = std::fs::rename(name(number), name(number + 1));
        }
        if self.files == 1 {
            std::fs::remove_file(name(0))?;
        }
        self.file = open(&name(0))?;
        self.size = 0;
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_files_make_room_for_new_lines() {
        let room = tempfile::tempdir().expect("a folder");
        let limits = RunLimits {
            log_file_bytes: 100,
            log_files: 2,
            ..RunLimits::default()
        };
        let mut logs = Logs::open(room.path(), &limits).expect("logs");
        let now = "2026-03-04T05:06:07.5Z".parse().expect("a time");
        for number in 0..9 {
            let text = format!("line {number} of a talkative app");
            logs.write(Stream::Stdout, text.as_bytes(), now);
        }
        let read = |name| std::fs::read_to_string(room.path().join(name)).expect("a file");
        assert_eq!(
            read("app.log"),
            "2026-03-04T05:06:07.500Z o line 8 of a talkative app\n"
        );
        assert_eq!(read("app.log.1").lines().count(), 1);
        assert!(!room.path().join("app.log.2").exists());
    }
}

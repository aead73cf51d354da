//! Writes the one tar form that layers have: ustar, with a pax header where a name does not fit;
//! owner 0, time 0, modes 755 and 644 (1777 for `/tmp`).
//!
//! Source: POSIX.1-2017, pax, "pax Interchange Format" and "ustar Interchange Format".

use std::io::{self, Read, Write};

use model::snapshot::Mode;
use tar::{EntryType, Header};

use super::place::folder_mode;

/// A tar is made of blocks of this size.
const BLOCK: usize = 512;

/// A tar archive in the making.
pub(super) struct TarStream<W: Write> {
    to: W,
}

impl<W: Write> TarStream<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to }
    }

    pub(super) fn folder(&mut self, path: &str) -> io::Result<()> {
        let name = format!("{path}/");
        self.header(&name, EntryType::Directory, folder_mode(path), 0, None)
    }

    pub(super) fn link(&mut self, path: &str, target: &str) -> io::Result<()> {
        self.header(path, EntryType::Symlink, 0o777, 0, Some(target))
    }

    /// Starts a file; exactly `size_bytes` of content must follow through [`Self::content`].
    pub(super) fn file(&mut self, path: &str, mode: Mode, size_bytes: u64) -> io::Result<()> {
        let bits = super::place::file_mode(mode);
        self.header(path, EntryType::Regular, bits, size_bytes, None)
    }

    pub(super) fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }

    /// Fills the last block of a file of `size_bytes`.
    pub(super) fn end_file(&mut self, size_bytes: u64) -> io::Result<()> {
        let over = (size_bytes % BLOCK as u64) as usize;
        match over {
            0 => Ok(()),
            _ => self.to.write_all(&[0; BLOCK][over..]),
        }
    }

    /// Ends the archive and returns what it was written to.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.to.write_all(&[0; 2 * BLOCK])?;
        Ok(self.to)
    }

    fn header(
        &mut self,
        path: &str,
        kind: EntryType,
        mode: u32,
        size_bytes: u64,
        target: Option<&str>,
    ) -> io::Result<()> {
        let mut records = Vec::new();
        let mut header = plain_header(kind, mode, size_bytes);
        let ustar = header.as_ustar_mut().ok_or(io::ErrorKind::InvalidData)?;
        put_name(&mut ustar.name, "path", path, &mut records);
        if let Some(target) = target {
            put_name(&mut ustar.linkname, "linkpath", target, &mut records);
        }
        if !records.is_empty() {
            self.pax_header(&records)?;
        }
        header.set_cksum();
        self.to.write_all(header.as_bytes())
    }

    fn pax_header(&mut self, records: &[u8]) -> io::Result<()> {
        let size_bytes = records.len() as u64;
        let mut header = plain_header(EntryType::XHeader, 0o644, size_bytes);
        let ustar = header.as_ustar_mut().ok_or(io::ErrorKind::InvalidData)?;
        ustar.name[..3].copy_from_slice(b"pax");
        header.set_cksum();
        self.to.write_all(header.as_bytes())?;
        self.to.write_all(records)?;
        self.end_file(size_bytes)
    }
}

fn plain_header(kind: EntryType, mode: u32, size_bytes: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size_bytes);
    header
}

/// Puts a name into its field, or into a pax record when it is too long or not ASCII.
fn put_name(field: &mut [u8; 100], key: &str, name: &str, records: &mut Vec<u8>) {
    if name.len() <= field.len() && name.is_ascii() {
        field[..name.len()].copy_from_slice(name.as_bytes());
        return;
    }
    let readable: Vec<u8> = name
        .bytes()
        .filter(u8::is_ascii)
        .take(field.len())
        .collect();
    field[..readable.len()].copy_from_slice(&readable);
    records.extend(pax_record(key, name));
}

/// One pax record: its own length in decimal, then ` key=value` and a newline.
fn pax_record(key: &str, value: &str) -> Vec<u8> {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len() + 1;
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    format!("{length}{rest}").into_bytes()
}

/// Copies exactly `size_bytes` from `from` in pieces, to each of `to`.
///
/// Fails when the file is shorter or longer than that: it changed while it was read.
pub(super) fn copy_exactly(
    mut from: impl Read,
    size_bytes: u64,
    mut to: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut piece = vec![0; 256 * 1024];
    let mut left = size_bytes;
    loop {
        let read = from.read(&mut piece)?;
        if read as u64 > left || (read == 0 && left > 0) {
            return Err(io::Error::other("it changed while it was read"));
        }
        if read == 0 {
            return Ok(());
        }
        to(&piece[..read])?;
        left -= read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pax_record_counts_its_own_length() {
        for length in [1, 5, 85, 86, 87, 90, 91, 92, 985, 990, 5000] {
            let record = pax_record("path", &"x".repeat(length));
            let text = String::from_utf8(record.clone()).expect("ASCII");
            let (count, _) = text.split_once(' ').expect("a length");
            assert_eq!(count.parse(), Ok(record.len()), "{length}");
        }
    }

    #[test]
    fn any_name_reads_back_as_it_was_written() {
        let long = "d/".repeat(60) + "file";
        let names = ["a", &long, "Főtanúsítvány.crt"];
        let mut stream = TarStream::new(Vec::new());
        for name in names {
            stream.link(name, &format!("/{name}")).expect("a link");
        }
        let bytes = stream.finish().expect("an archive");
        let mut archive = tar::Archive::new(&bytes[..]);
        for (entry, name) in archive.entries().expect("entries").zip(names) {
            let entry = entry.expect("an entry");
            assert_eq!(entry.path_bytes(), name.as_bytes());
            let target = entry.link_name_bytes().expect("a target");
            assert_eq!(*target, *format!("/{name}").as_bytes());
        }
    }
}

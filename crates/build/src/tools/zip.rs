//! Reads one file out of a zip archive, and writes small ones. Source: PKWARE's APPNOTE, 4.3.

/// The content of the file `wanted`, at most `limit_bytes`. `None` when the archive does not have
/// it or is damaged. Neither encryption nor zip64 is read: no wheel that is pinned has them.
pub(super) fn read_file(zip: &[u8], wanted: &str, limit_bytes: usize) -> Option<Vec<u8>> {
    let end = zip.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let entries = u16_at(zip, end + 10)?;
    let mut at = u32_at(zip, end + 16)? as usize;
    for _ in 0..entries {
        let entry = zip.get(at..)?;
        entry.strip_prefix(b"PK\x01\x02")?;
        let [name, extra, comment] = [28, 30, 32].map(|field| u16_at(entry, field));
        let (name, extra, comment) = (name? as usize, extra? as usize, comment? as usize);
        if entry.get(46..46 + name)? == wanted.as_bytes() {
            return content(zip, entry, limit_bytes);
        }
        at += 46 + name + extra + comment;
    }
    None
}

/// An archive of these files, stored as they are. They are few and small.
pub(crate) fn write(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let offset = archive.len() as u32;
        let about = about(name, content);
        archive.extend(b"PK\x03\x04");
        archive.extend(&about);
        archive.extend(name.as_bytes());
        archive.extend(*content);
        // Made by version 2.0; no comment, on the first disk, no attributes.
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&about);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = (files.len() as u16).to_le_bytes();
    let (start, size) = (archive.len() as u32, directory.len() as u32);
    archive.extend(directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend(count);
    archive.extend(count);
    archive.extend(size.to_le_bytes());
    archive.extend(start.to_le_bytes());
    archive.extend([0; 2]);
    archive
}

/// What the local header and the directory say in the same words about a file.
fn about(name: &str, content: &[u8]) -> Vec<u8> {
    let size = (content.len() as u32).to_le_bytes();
    let mut about = Vec::new();
    // Version 2.0 reads it; no flags, stored.
    about.extend([20, 0, 0, 0, 0, 0]);
    // The first of January 1980, at midnight.
    about.extend([0, 0, 0x21, 0]);
    about.extend(libdeflater::crc32(content).to_le_bytes());
    about.extend(size);
    about.extend(size);
    about.extend((name.len() as u16).to_le_bytes());
    about.extend([0; 2]);
    about
}

fn content(zip: &[u8], entry: &[u8], limit_bytes: usize) -> Option<Vec<u8>> {
    let method = u16_at(entry, 10)?;
    let checksum = u32_at(entry, 16)?;
    let packed_bytes = u32_at(entry, 20)? as usize;
    let size_bytes = u32_at(entry, 24)? as usize;
    let local = zip.get(u32_at(entry, 42)? as usize..)?;
    local.strip_prefix(b"PK\x03\x04")?;
    let start = 30 + u16_at(local, 26)? as usize + u16_at(local, 28)? as usize;
    let packed = local.get(start..)?.get(..packed_bytes)?;
    if size_bytes > limit_bytes {
        return None;
    }
    let bytes = match method {
        0 => packed.to_vec(),
        8 => inflate(packed, size_bytes)?,
        _ => return None,
    };
    (bytes.len() == size_bytes && libdeflater::crc32(&bytes) == checksum).then_some(bytes)
}

fn inflate(packed: &[u8], size_bytes: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; size_bytes];
    let mut decompressor = libdeflater::Decompressor::new();
    let written = decompressor.deflate_decompress(packed, &mut bytes).ok()?;
    (written == size_bytes).then_some(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(field.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let field = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(field.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One stored file `a/b` with the content `hello`, as Info-ZIP writes it.
    fn zip() -> Vec<u8> {
        let (name, content) = (b"a/b", b"hello");
        let checksum = libdeflater::crc32(content).to_le_bytes();
        let size = (content.len() as u32).to_le_bytes();
        let name_size = (name.len() as u16).to_le_bytes();
        let sizes = [&checksum[..], &size, &size].concat();
        let local = [
            b"PK\x03\x04".as_slice(),
            &[0; 10],
            &sizes,
            &name_size,
            &[0; 2],
            name,
            content,
        ];
        let local = local.concat();
        let central = [
            b"PK\x01\x02".as_slice(),
            &[0; 12],
            &sizes,
            &name_size,
            &[0; 12],
            &[0; 4],
            name,
        ];
        let central = central.concat();
        let offset = (local.len() as u32).to_le_bytes();
        let length = (central.len() as u32).to_le_bytes();
        let end = [
            b"PK\x05\x06".as_slice(),
            &[0; 4],
            &[1, 0, 1, 0],
            &length,
            &offset,
            &[0; 2],
        ];
        [local, central, end.concat()].concat()
    }

    #[test]
    fn a_file_is_found_by_its_name_within_its_limit() {
        let zip = zip();
        assert_eq!(read_file(&zip, "a/b", 5).as_deref(), Some(&b"hello"[..]));
        assert_eq!(read_file(&zip, "a/b", 4), None);
        assert_eq!(read_file(&zip, "b", 5), None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let written = write(&[("a/b", b"hello"), ("c", b"")]);
        assert_eq!(
            read_file(&written, "a/b", 5).as_deref(),
            Some(&b"hello"[..])
        );
        assert_eq!(read_file(&written, "c", 5).as_deref(), Some(&b""[..]));
        assert_eq!(read_file(&written, "d", 5), None);
    }

    #[test]
    fn a_damaged_archive_is_never_read_as_something_else() {
        let good = zip();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x41;
            for bad in [&bad[..], &good[..at]] {
                let read = read_file(bad, "a/b", 5);
                assert!(read.is_none_or(|bytes| bytes == b"hello"), "at {at}");
            }
        }
    }
}

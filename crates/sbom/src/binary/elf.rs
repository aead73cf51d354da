//! The sections of a program.
//!
//! Source: System V ABI, "Object files".

use super::Bytes;

/// A program in ELF.
pub(super) struct Elf<'a, B> {
    file: &'a B,
    wide: bool,
    big: bool,
    header: [u8; 64],
}

/// Where a section lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// Tables of sections, names or segments that are larger are not read.
const TABLE_BYTES: u64 = 1 << 20;

impl<'a, B: Bytes> Elf<'a, B> {
    /// Reads the head of a file; none when it is no program.
    pub(super) fn open(file: &'a B) -> Option<Self> {
        let mut header = [0; 64];
        let got = file.fill(&mut header, 0);
        if got < 52 || !header.starts_with(b"\x7fELF") {
            return None;
        }
        let wide = match header[4] {
            1 => false,
            2 if got == 64 => true,
            _ => return None,
        };
        Some(Self {
            file,
            wide,
            big: header[5] == 2,
            header,
        })
    }

    /// Those of `names` that the program has.
    pub(super) fn sections(&self, names: &[&'static str]) -> Vec<Section> {
        self.find(names).unwrap_or_default()
    }

    fn find(&self, names: &[&'static str]) -> Option<Vec<Section>> {
        let (table, count_at) = match self.wide {
            true => (self.number(&self.header, 0x28, 8)?, 0x3a),
            false => (self.number(&self.header, 0x20, 4)?, 0x2e),
        };
        let size = self.number(&self.header, count_at, 2)?;
        let count = self.number(&self.header, count_at + 2, 2)?;
        let names_at = self.number(&self.header, count_at + 4, 2)?;
        let least = if self.wide { 64 } else { 40 };
        if table == 0 || size < least || names_at >= count {
            return None;
        }
        let bytes = self.table(table, size * count)?;
        let headers = bytes.chunks_exact(usize::try_from(size).ok()?);
        let (offset, length) =
            self.extent(headers.clone().nth(usize::try_from(names_at).ok()?)?)?;
        let texts = self.table(offset, length)?;
        let mut found = Vec::new();
        for header in headers {
            let at = usize::try_from(self.number(header, 0, 4)?).ok()?;
            let Some(rest) = texts.get(at..) else {
                continue;
            };
            let name = names.iter().find(|name| {
                let after = rest.strip_prefix(name.as_bytes());
                after.is_some_and(|after| after.first() == Some(&0))
            });
            if let Some(name) = name {
                let (offset, size) = self.extent(header)?;
                found.push(Section { name, offset, size });
            }
        }
        Some(found)
    }

    /// The bytes that the program has at an address once it is loaded, `length` of them.
    pub(super) fn at_address(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let (table, count_at) = match self.wide {
            true => (self.number(&self.header, 0x20, 8)?, 0x36),
            false => (self.number(&self.header, 0x1c, 4)?, 0x2a),
        };
        let size = self.number(&self.header, count_at, 2)?;
        let count = self.number(&self.header, count_at + 2, 2)?;
        let least = if self.wide { 56 } else { 32 };
        if size < least {
            return None;
        }
        let bytes = self.table(table, size * count)?;
        bytes
            .chunks_exact(usize::try_from(size).ok()?)
            .find_map(|segment| {
                let (offset, start, in_file) = match self.wide {
                    true => (
                        self.number(segment, 0x08, 8)?,
                        self.number(segment, 0x10, 8)?,
                        self.number(segment, 0x20, 8)?,
                    ),
                    false => (
                        self.number(segment, 0x04, 4)?,
                        self.number(segment, 0x08, 4)?,
                        self.number(segment, 0x10, 4)?,
                    ),
                };
                let inside = address.checked_sub(start)?;
                let end = inside.checked_add(length as u64)?;
                let loaded = self.number(segment, 0, 4)? == 1 && end <= in_file;
                loaded.then(|| self.file.exact(offset.checked_add(inside)?, length))?
            })
    }

    fn extent(&self, header: &[u8]) -> Option<(u64, u64)> {
        match self.wide {
            true => Some((self.number(header, 0x18, 8)?, self.number(header, 0x20, 8)?)),
            false => Some((self.number(header, 0x10, 4)?, self.number(header, 0x14, 4)?)),
        }
    }

    fn table(&self, offset: u64, length: u64) -> Option<Vec<u8>> {
        if length > TABLE_BYTES {
            return None;
        }
        self.file.exact(offset, usize::try_from(length).ok()?)
    }

    fn number(&self, bytes: &[u8], at: usize, length: usize) -> Option<u64> {
        number(bytes.get(at..)?.get(..length)?, self.big)
    }
}

/// A number of up to eight bytes.
pub(super) fn number(bytes: &[u8], big: bool) -> Option<u64> {
    let add = |sum: u64, byte: &u8| (sum << 8) | u64::from(*byte);
    (bytes.len() <= 8).then(|| match big {
        true => bytes.iter().fold(0, add),
        false => bytes.iter().rev().fold(0, add),
    })
}

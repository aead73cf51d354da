//! Texts that code puts together from pieces: `"abc" + "def"`, or one below the other.

use crate::ir::Span;
use crate::scan::Raw;

/// Where the letters of a joined text lie in the file.
pub(super) struct Places {
    /// Pairs of a place in the joined text and one in the file, at each piece's start.
    pieces: Vec<(usize, usize)>,
}

impl Places {
    /// A finding with its place in the file.
    pub(super) fn back(&self, mut raw: Raw) -> Raw {
        let start = self.place(raw.span.start as usize);
        let end = self.place((raw.span.end as usize).saturating_sub(1)) + 1;
        raw.span = Span {
            start: start as u32,
            end: end as u32,
        };
        raw
    }

    fn place(&self, at: usize) -> usize {
        let piece = self
            .pieces
            .partition_point(|(joined, _)| *joined <= at)
            .saturating_sub(1);
        let (joined, file) = self.pieces[piece];
        file + (at - joined)
    }
}

/// The text with pieces joined, where there are some.
pub(super) fn join(text: &str) -> Option<(String, Places)> {
    let bytes = text.as_bytes();
    let mut joined = String::new();
    let mut pieces = vec![(0, 0)];
    let mut kept = 0;
    let mut at = 0;
    while let Some(quote) = memchr::memchr2(b'"', b'\'', &bytes[at..]).map(|found| at + found) {
        match seam(bytes, quote) {
            Some(next) => {
                joined.push_str(&text[kept..quote]);
                pieces.push((joined.len(), next));
                kept = next;
                at = next;
            }
            None => at = quote + 1,
        }
    }
    if kept == 0 {
        return None;
    }
    joined.push_str(&text[kept..]);
    Some((joined, Places { pieces }))
}

/// Where the next piece begins, when a quote ends one and only `+` and blanks lie between.
fn seam(bytes: &[u8], quote: usize) -> Option<usize> {
    const BLANKS: usize = 200;
    let mark = bytes[quote];
    let mut at = quote + 1;
    let mut has_joint = false;
    while at < bytes.len() && at - quote < BLANKS {
        match bytes[at] {
            b' ' | b'\t' | b'\r' => {}
            b'\n' | b'+' | b'\\' => has_joint = true,
            other => return (other == mark && has_joint).then_some(at + 1),
        }
        at += 1;
    }
    None
}

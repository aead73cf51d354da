//! Lines and columns of a text.

use model::finding::Place;

use crate::ir::Span;

/// The lines of a text.
pub(crate) struct Lines<'a> {
    text: &'a [u8],
    starts: Vec<u32>,
}

impl<'a> Lines<'a> {
    /// Of a text.
    pub(crate) fn of(text: &'a [u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text).map(|at| at as u32 + 1));
        Self { text, starts }
    }

    /// The place of a byte.
    pub(crate) fn place(&self, byte: u32) -> Place {
        let byte = byte.min(self.text.len() as u32);
        let line = self.starts.partition_point(|start| *start <= byte).max(1);
        let start = self.starts[line - 1] as usize;
        let before = String::from_utf8_lossy(&self.text[start..byte as usize]);
        Place {
            line: line as u32,
            column: before.chars().count() as u32 + 1,
        }
    }

    /// The first line of a place's text, cut where it is long, without what is `hidden`.
    pub(crate) fn snippet(&self, span: Span, hidden: &[Span]) -> String {
        const LETTERS: usize = 160;
        let start = (span.start as usize).min(self.text.len());
        let end = (span.end as usize).clamp(start, self.text.len());
        let mut text = self.text[start..end].to_vec();
        for key in hidden {
            let from = (key.start as usize).clamp(start, end) - start;
            let to = (key.end as usize).clamp(start, end) - start;
            text[from..to].fill(b'*');
        }
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().next().unwrap_or_default().trim_end();
        let clean = line
            .chars()
            .filter(|letter| !letter.is_control())
            .take(LETTERS + 1);
        let clean: String = clean.collect();
        match clean.chars().count() > LETTERS {
            true => clean.chars().take(LETTERS).chain(['…']).collect(),
            false => clean,
        }
    }

    /// How long the line of a byte is.
    pub(crate) fn length(&self, byte: u32) -> usize {
        let next = self.starts.partition_point(|start| *start <= byte).max(1);
        let end = self
            .starts
            .get(next)
            .map_or(self.text.len(), |end| *end as usize);
        end - self.starts[next - 1] as usize
    }

    /// A line without its end, from 1.
    pub(crate) fn line(&self, number: u32) -> String {
        let at = (number.max(1) - 1) as usize;
        let Some(start) = self.starts.get(at) else {
            return String::new();
        };
        let end = self
            .starts
            .get(at + 1)
            .map_or(self.text.len(), |end| *end as usize);
        String::from_utf8_lossy(&self.text[*start as usize..end])
            .trim_end_matches(['\n', '\r'])
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one() {
        let lines = Lines::of("ab\näö x\n".as_bytes());
        for (byte, line, column) in [(0, 1, 1), (2, 1, 3), (3, 2, 1), (7, 2, 3), (99, 3, 1)] {
            assert_eq!(lines.place(byte), Place { line, column }, "{byte}");
        }
        assert_eq!(lines.line(2), "äö x");
        assert_eq!(lines.line(9), "");
    }
}

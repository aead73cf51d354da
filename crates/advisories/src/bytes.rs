//! Writes and reads the values of an index: numbers of variable length, and texts.

/// Appends values.
pub(crate) trait Put {
    /// Appends a number, seven bits a byte, the lowest first.
    fn put_number(&mut self, number: u64);
    /// Appends a text with its length.
    fn put_text(&mut self, text: &str);
}

impl Put for Vec<u8> {
    fn put_number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.push(number as u8);
    }

    fn put_text(&mut self, text: &str) {
        self.put_number(text.len() as u64);
        self.extend_from_slice(text.as_bytes());
    }
}

/// Reads values. Each reading is none where the bytes end or say what cannot be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Take<'a>(pub(crate) &'a [u8]);

impl<'a> Take<'a> {
    /// What begins at `offset`.
    pub(crate) fn at(bytes: &'a [u8], offset: usize) -> Option<Self> {
        bytes.get(offset..).map(Self)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(crate) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A number that counts things, of which each takes at least a byte.
    pub(crate) fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.0.len()).then_some(count)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.count()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back_and_nothing_else_does() {
        let mut bytes = Vec::new();
        for number in [0, 1, 127, 128, 16_384, u64::MAX] {
            bytes.clear();
            bytes.put_number(number);
            assert_eq!(Take(&bytes).number(), Some(number));
        }
        bytes.clear();
        bytes.put_text("käse");
        assert_eq!(Take(&bytes).text(), Some("käse"));
        assert_eq!(Take(&bytes[..3]).text(), None);
        assert_eq!(Take(&[]).byte(), None);
        assert_eq!(Take(&[0xff; 12]).number(), None);
        assert_eq!(Take(&[2, 0xff, 0xff]).text(), None);
        assert_eq!(Take(&[0xff, 0xff, 0x7f]).count(), None);
    }
}

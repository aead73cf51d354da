//! The answers of `git cat-file --batch`, one after the other.

use std::io::{self, BufRead, BufReader, Read};

/// What comes before a content is no longer.
const HEAD: u64 = 512;

/// An object's content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Blob {
    pub(super) size_bytes: u64,
    /// None where it is larger than what is read.
    pub(super) content: Option<Vec<u8>>,
}

/// The answers of a running git.
pub(super) struct Blobs<R> {
    answers: BufReader<R>,
    largest: u64,
}

impl<R: Read> Blobs<R> {
    /// Contents of more than `largest` bytes are passed over.
    pub(super) fn new(answers: R, largest: u64) -> Self {
        Self {
            answers: BufReader::with_capacity(1 << 16, answers),
            largest,
        }
    }

    /// The answer about the object that was asked for next; none when it is not here.
    pub(super) fn next(&mut self, id: &str) -> io::Result<Option<Blob>> {
        let mut head = String::new();
        (&mut self.answers).take(HEAD).read_line(&mut head)?;
        let answer = head.strip_prefix(id).ok_or(io::ErrorKind::UnexpectedEof)?;
        let answer = answer.trim();
        if answer == "missing" {
            return Ok(None);
        }
        let size = answer
            .strip_prefix("blob ")
            .ok_or(io::ErrorKind::InvalidData)?;
        let size_bytes: u64 = size.parse().map_err(io::Error::other)?;
        let content = match size_bytes > self.largest {
            true => {
                let mut passed = (&mut self.answers).take(size_bytes + 1);
                io::copy(&mut passed, &mut io::sink())?;
                None
            }
            false => {
                let mut content = vec![0; size_bytes as usize + 1];
                self.answers.read_exact(&mut content)?;
                content.pop();
                Some(content)
            }
        };
        Ok(Some(Blob {
            size_bytes,
            content,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_told_apart() {
        let answers = "a1 blob 5\nhello\na2 missing\na3 blob 9\n123456789\na4 blob 0\n\n";
        let mut blobs = Blobs::new(answers.as_bytes(), 8);
        let mut next = |id| blobs.next(id).expect("an answer");
        let blob = |size_bytes, content: Option<&[u8]>| Blob {
            size_bytes,
            content: content.map(<[u8]>::to_vec),
        };
        assert_eq!(next("a1"), Some(blob(5, Some(b"hello"))));
        assert_eq!(next("a2"), None);
        assert_eq!(next("a3"), Some(blob(9, None)));
        assert_eq!(next("a4"), Some(blob(0, Some(b""))));
        assert!(blobs.next("a5").is_err());
    }
}

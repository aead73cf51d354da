//! How deep a text nests, found out before it is parsed: the parser calls itself for each level, and
//! a stack that overflows ends the process.

/// Brackets within brackets.
const DEEPEST: usize = 48;
/// Words and operators of one expression: `a + b + c + …` nests as deep as it is long.
const LONGEST: usize = 400;

/// The line, from 1, where the text nests deeper than any person writes.
pub(crate) fn too_deep(text: &str) -> Option<u32> {
    let mut scan = Scan::default();
    let mut line = 1;
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let length = match byte {
            b'"' => 1 + quoted(after),
            b'`' => 1 + until(after, b'`') + 1,
            b'#' => 1 + until(after, b'\n'),
            b'\n' => scan.newline(),
            b'(' | b'[' | b'{' => scan.open(),
            b')' | b']' | b'}' => scan.close(),
            b',' | b';' => scan.separate(),
            b' ' | b'\t' | b'\r' => 1,
            byte if is_word(byte) => scan.word(rest),
            _ => scan.operator(),
        };
        if byte == b'"' || byte == b'`' {
            scan.token(Last::Word);
        }
        if scan.is_too_deep() {
            return Some(line);
        }
        let (passed, left) = rest.split_at(length.min(rest.len()));
        line += passed.iter().filter(|byte| **byte == b'\n').count() as u32;
        rest = left;
    }
    None
}

/// What came last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    Word,
    Operator,
}

/// Where the scan is: for each open bracket, how long the expression in it is by now.
#[derive(Debug)]
struct Scan {
    lengths: Vec<usize>,
    last: Last,
    /// Whether a line ended since the last token, and the expression with it.
    is_ended: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            lengths: vec![0],
            last: Last::Operator,
            is_ended: false,
        }
    }
}

impl Scan {
    fn is_too_deep(&self) -> bool {
        self.lengths.len() > DEEPEST + 1 || self.lengths.last().is_some_and(|one| *one > LONGEST)
    }

    fn token(&mut self, kind: Last) {
        let continues = kind == Last::Operator || self.last == Last::Operator;
        if let Some(length) = self.lengths.last_mut() {
            *length = match self.is_ended && !continues {
                true => 1,
                false => *length + 1,
            };
        }
        self.is_ended = false;
        self.last = kind;
    }

    fn word(&mut self, rest: &[u8]) -> usize {
        let length = rest.iter().take_while(|byte| is_word(**byte)).count();
        self.token(match &rest[..length] {
            b"in" => Last::Operator,
            _ => Last::Word,
        });
        length
    }

    fn operator(&mut self) -> usize {
        self.token(Last::Operator);
        1
    }

    fn newline(&mut self) -> usize {
        self.is_ended = true;
        1
    }

    fn open(&mut self) -> usize {
        self.token(Last::Word);
        self.lengths.push(0);
        self.last = Last::Operator;
        1
    }

    fn close(&mut self) -> usize {
        if self.lengths.len() > 1 {
            self.lengths.pop();
        }
        self.last = Last::Word;
        self.is_ended = false;
        1
    }

    fn separate(&mut self) -> usize {
        if let Some(length) = self.lengths.last_mut() {
            *length = 0;
        }
        self.last = Last::Operator;
        1
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// The length of a quoted text with its closing quote.
fn quoted(rest: &[u8]) -> usize {
    let mut at = 0;
    while at < rest.len() && rest[at] != b'"' && rest[at] != b'\n' {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn until(rest: &[u8], end: u8) -> usize {
    let found = rest.iter().position(|byte| *byte == end);
    found.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_person_writes_is_too_deep() {
        let many = |piece: &str| piece.repeat(1_000);
        for (text, line) in [
            (
                "package p\ndeny contains {\"a\": [1, 2]} if x == 1".to_owned(),
                None,
            ),
            (many("x := 1 + 2\n"), None),
            (many("\"((((\" == `[[[[`\n"), None),
            (many("# ((((\n"), None),
            (format!("[{}]", many("1, ")), None),
            (format!("{{{}}}", many("\"a\": 1,\n")), None),
            (format!("x if {{\n{}}}", many("\ta == 1\n\tb(c)\n")), None),
            (many("("), Some(1)),
            (format!("\n\n{}", many("[\n")), Some(51)),
            (format!("1{}", many(" + 1")), Some(1)),
            (format!("1{}", many("\n+ 1")), Some(201)),
            (format!("1{}", many(" +\n1")), Some(201)),
            (format!("a{}", many("[0]")), Some(1)),
            (format!("a{}", many(".b")), Some(1)),
            (format!("a{}", many("(1)+")), Some(1)),
            (format!("a{}", many("\nin b")), Some(201)),
            (many("-"), Some(1)),
        ] {
            assert_eq!(too_deep(&text), line, "{}", &text[..text.len().min(40)]);
        }
    }
}

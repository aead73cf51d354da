//! Damaged policies and questions: none panics, overflows a stack or hangs, whatever the damage.

use policy::{defaults, fuzz, samples};

/// Source: Vigna, "An experimental exploration of Marsaglia's xorshift generators" (2016).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// Does one to six things to a text.
    fn damage(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(6) {
            let at = self.below(bytes.len());
            match self.below(4) {
                0 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                1 => bytes.truncate(at),
                2 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    let many = 1 + self.below(3) * self.below(400);
                    bytes.splice(at..at, piece.repeat(many));
                }
                _ => {
                    let end = at + self.below(20).min(bytes.len().saturating_sub(at));
                    bytes.drain(at.min(end)..end);
                }
            }
        }
        bytes
    }
}

const PIECES: [&[u8]; 16] = [
    b"(",
    b"[",
    b"{",
    b"\n",
    b"\"",
    b"`",
    b"#",
    b" in ",
    b" not ",
    b"+1",
    b".x",
    b"[0]",
    b" with input as ",
    b" some x in ",
    b"every x in y {",
    b"\xff\0",
];

#[test]
fn no_damaged_policy_panics() {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    let defaults = defaults();
    let texts: Vec<_> = defaults.rules().map(|(_, text)| text.as_bytes()).collect();
    let plain = b"package p\ndeny contains {\"rule\": \"a\", \"msg\": m} if {\n\tsome x in input.list\n\tm := sprintf(\"%v\", [x.y])\n}\n";
    for round in 0..600 {
        let seed = if round % 3 == 0 {
            texts[draw.below(texts.len())]
        } else {
            &plain[..]
        };
        fuzz::policy(&draw.damage(seed));
    }
}

#[test]
fn no_damaged_question_panics() {
    let mut draw = Draw(0x2545_f491_4f6c_dd1d);
    let seeds: Vec<_> = samples::samples()
        .iter()
        .map(|one| one.input.to_string())
        .collect();
    for round in 0..200 {
        fuzz::question(&draw.damage(seeds[round % seeds.len()].as_bytes()));
    }
}

//! Damaged records, archives, indexes and words: none panics, whatever the damage.

use advisories::fuzz;

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

const PIECES: [&[u8]; 14] = [
    b"{", b"[", b"]", b"}", b"\"", b":", b",", b"0", b"1.0", b"-", b"\xff\0", b"null", b"%41", b"/",
];

type Target = (fn(&[u8]), &'static [&'static [u8]]);

const RECORD: &[u8] = br#"{"id":"A-1","modified":"1960-01-01T00:00:00Z","published":"1960-01-01T00:00:00Z",
"aliases":["B"],"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
"affected":[{"package":{"ecosystem":"PyPI","name":"a"},"versions":["1.0","x"],"ranges":[{"type":"ECOSYSTEM",
"events":[{"introduced":"0"},{"fixed":"1.0"},{"introduced":"2"},{"last_affected":"3"}]}]}]}"#;

const TARGETS: [Target; 5] = [
    (fuzz::record, &[RECORD]),
    (fuzz::zip, &[b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0aPK\x01\x02PK\x05\x06\0\0\0\0\x01\0\x01\0\x2e\0\0\0\0\0\0\0\0\0"]),
    (fuzz::index, &[b"\x02\0\0\0[]", b"\x01\0\0\0\x20\0\0\0\x10\0\0\0\x14\0\0\0\x03a\0b\x01\0\x01a\0\xff\x01\x81\x011\x012\0"]),
    (fuzz::versions, &[b"1.0rc1\n1.0.0", b"v1.2.3-beta.1\ngo1.22", b"1:2.0-1~deb13u1\n2.0", b"1!2.0.post1+local\n3"]),
    (fuzz::words, &[b"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", b"AV:N/AC:L/Au:N/C:N/I:N/A:C",
        b"pkg:deb/debian/a%2B@1%3A2?arch=x&upstream=b%402#c", b"(MIT OR Apache-2.0) AND ISC"]),
];

#[test]
fn nothing_damaged_panics() {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    for (target, seeds) in TARGETS {
        for round in 0..400 {
            target(&draw.damage(seeds[round % seeds.len()]));
        }
    }
}

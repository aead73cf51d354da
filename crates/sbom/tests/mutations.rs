//! Each parser over thousands of damaged files: none panics, whatever the damage.

use sbom::fuzz;

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

    /// Does one to eight things to a file.
    fn damage(&mut self, seed: &[u8]) -> Vec<u8> {
        let mut bytes = seed.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len());
            match self.below(6) {
                0 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                1 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at),
                3 => bytes.insert(
                    at.min(bytes.len()),
                    INTERESTING[self.below(INTERESTING.len())],
                ),
                4 => {
                    let end = at + self.below(40).min(bytes.len().saturating_sub(at));
                    let piece = bytes[at.min(end)..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
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

const INTERESTING: &[u8] = b"\0\n\r\t \"'()[]{}:;,.@/\\#=<>|-_~\x1b\x7f\x80\xc3\xff";

type Target = (&'static str, fn(&[u8]), &'static [&'static [u8]]);

const TARGETS: [Target; 8] = [
    (
        "dpkg_status",
        fuzz::dpkg_status,
        &[b"Package: a\nStatus: install ok installed\nSource: b (1)\nVersion: 1\nDepends: c (>= 1) | d,\n e\nProvides: f (= 1)\n\nPackage: g\nVersion: 2\n"],
    ),
    (
        "debian_copyright",
        fuzz::debian_copyright,
        &[b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: GPL-2+ with OpenSSL exception or Artistic, and public-domain\n text\n .\n more\n\nLicense: X\n y\n"],
    ),
    (
        "os_release",
        fuzz::os_release,
        &[b"ID=debian\nVERSION_ID=\"13\"\nNAME='x'\n"],
    ),
    (
        "python_metadata",
        fuzz::python_metadata,
        &[b"Name: a\nVersion: 1\nLicense: MIT\nClassifier: License :: OSI Approved :: MIT License\nRequires-Dist: b[c]>=1; (python_version < '3' or extra == 'x') and os_name == \"posix\"\nProject-URL: homepage, https://x\n\nbody\n", b"a>=1\n[x:os_name == 'nt']\nb\n"],
    ),
    (
        "python_requirement",
        fuzz::python_requirement,
        &[b"a[b, c] (>=1,<2) ; python_full_version >= '3.1.2' and 'x' not in platform_machine", b"a @ https://x/y;z ; os_name == 'posix'", b"a==1.0"],
    ),
    (
        "node_manifest",
        fuzz::node_manifest,
        &[br#"{"name":"@s/a","version":"v1.0.0","license":{"type":"MIT"},"licenses":[{"type":"ISC"}],"author":{"name":"x"},"dependencies":{"b":"*"},"peerDependencies":{"c":"1"}}"#],
    ),
    (
        "lock_file",
        fuzz::lock_file,
        &[
            br#"{"packages":{"node_modules/a":{"version":"1.0.0"},"node_modules/@s/b":{"version":"2.0.0"}},"dependencies":{"a":{"version":"npm:b@1","dependencies":{"c":{"version":"1"}}}}}"#,
            b"packages:\n\n  '@s/b@2.0.0':\n    x: y\n\n  /a@1.0.0(c@1):\n    dev: true\n",
            b"\"@s/b@^2\", \"b@npm:c@1\":\n  version \"2.0.0\"\n  resolution: \"@s/b@npm:2.0.0\"\n",
            b"// x\n{\"packages\": {\"a\": [\"a@1.0.0\", \"\", {}, \"x\"],},}\n",
            b"[[package]]\nname = \"a\"\nversion = \"1\"\nsource = { virtual = \".\" }\n",
            b"a==1.0 \\\n --hash=sha256:x\nb[c]>=1 # x\n",
        ],
    ),
    (
        "licence_expression",
        fuzz::licence_expression,
        &[b"(MIT OR Apache-2.0) AND GPL-2.0-or-later WITH Classpath-exception-2.0"],
    ),
];

fn run(name: &str, target: fn(&[u8]), seeds: &[Vec<u8>]) {
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15);
    for seed in seeds {
        target(seed);
        for _ in 0..3_000 {
            let bytes = draw.damage(seed);
            let done = std::panic::catch_unwind(|| target(&bytes));
            assert!(done.is_ok(), "{name} panics on {}", bytes.escape_ascii());
        }
    }
}

#[test]
fn no_parser_of_text_panics_on_damage() {
    for (name, target, seeds) in TARGETS {
        let seeds: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
        run(name, target, &seeds);
    }
}

/// A program of 64 bits with one section, and one for the names of both.
fn program(name: &str, section: &[u8]) -> Vec<u8> {
    let names = format!("\0{name}\0.names\0");
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(64, 0);
    let table = 64 + section.len() + names.len();
    bytes[0x28..0x30].copy_from_slice(&(table as u64).to_le_bytes());
    for (at, value) in [(0x3a, 64u16), (0x3c, 2), (0x3e, 1)] {
        bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }
    bytes.extend(section);
    bytes.extend(names.bytes());
    for (name, offset, size) in [
        (1u32, 64, section.len()),
        (0, 64 + section.len(), names.len()),
    ] {
        let mut row = vec![0; 64];
        row[..4].copy_from_slice(&name.to_le_bytes());
        row[0x18..0x20].copy_from_slice(&(offset as u64).to_le_bytes());
        row[0x20..0x28].copy_from_slice(&(size as u64).to_le_bytes());
        bytes.extend(row);
    }
    bytes
}

#[test]
fn no_damaged_program_makes_a_panic() {
    use std::io::Write;
    let modules = "path\texample.org/a\nmod\texample.org/a\t(devel)\ndep\tb.org/c\tv1\n=>\td.org/e\tv2\nbuild\tvcs.time=x\n";
    let mut new = b"\xff Go buildinf:\x08\x02".to_vec();
    new.resize(32, 0);
    new.extend(b"\x08go1.24.1");
    let marked = [&[7; 16][..], modules.as_bytes(), &[9; 16]].concat();
    new.extend([u8::try_from(marked.len() & 127).expect("small") | 128, 1]);
    new.extend(&marked);
    // Of the old form: two addresses.
    let mut old = b"\xff Go buildinf:\x08\0".to_vec();
    old.extend([64, 0, 0, 0, 0, 0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0]);
    let mut crates = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::none());
    crates
        .write_all(br#"{"packages":[{"name":"a","version":"1","dependencies":[1],"root":true},{"name":"b","version":"2"}]}"#)
        .expect("packed");
    let crates = crates.finish().expect("packed");
    let seeds = [
        program(".go.buildinfo", &new),
        program(".go.buildinfo", &old),
        program(".dep-v0", &crates),
    ];
    run("program", fuzz::program, &seeds);
}

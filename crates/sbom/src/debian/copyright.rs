//! Machine-readable copyright files, as SPDX expressions.
//!
//! Source: Debian's copyright-format 1.0 (DEP-5).

use std::collections::{BTreeMap, BTreeSet};

use model::Digest;

use super::control::{Paragraph, paragraphs};
use crate::licence;
use crate::text::{cut, shown};

/// What a copyright file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Copyright {
    /// All that its paragraphs name; none when the file is not machine readable.
    pub(crate) expression: Option<String>,
    /// The texts of licences that SPDX has no name for.
    pub(crate) texts: BTreeMap<String, String>,
}

/// The longest text that is kept of a licence without an SPDX name.
const TEXT_BYTES: usize = 4_096;
/// Licences that one file may name.
const MOST: usize = 200;

/// Reads a copyright file. The expression is the sum of all that it names: which of them covers a
/// file of the binary package is not said there.
pub(crate) fn copyright(text: &str) -> Copyright {
    let all: Vec<Paragraph<'_>> = paragraphs(text).collect();
    let machine_readable = all.first().is_some_and(|first| {
        let format = first.get("Format").or(first.get("Format-Specification"));
        format.is_some_and(|url| url.contains("copyright-format") || url.contains("dep5"))
    });
    if !machine_readable {
        return Copyright::default();
    }
    let texts = texts(&all);
    let mut reader = Reader {
        texts: &texts,
        kept: BTreeMap::new(),
    };
    let stated: BTreeSet<&str> = all
        .iter()
        .enumerate()
        .filter(|(number, one)| *number == 0 || one.get("Files").is_some())
        .filter_map(|(_, one)| one.get("License")?.lines().next())
        .map(str::trim)
        .filter(|line| !line.is_empty() && line.len() <= 500)
        .take(MOST)
        .collect();
    let parts: Vec<String> = stated.iter().map(|line| reader.expression(line)).collect();
    Copyright {
        expression: licence::all_of(parts.iter().map(String::as_str)),
        texts: reader.kept,
    }
}

/// The text of each licence that the file spells out, by its name in small letters.
fn texts<'a>(all: &[Paragraph<'a>]) -> BTreeMap<String, &'a str> {
    let mut texts = BTreeMap::new();
    for licence in all.iter().filter_map(|one| one.get("License")) {
        if let Some((name, text)) = licence.split_once('\n') {
            texts
                .entry(name.trim().to_ascii_lowercase())
                .or_insert(text);
        }
    }
    texts
}

struct Reader<'a> {
    texts: &'a BTreeMap<String, &'a str>,
    kept: BTreeMap<String, String>,
}

impl Reader<'_> {
    /// `GPL-2+ or Artistic, and BSD-3-clause`: `and` binds closer than `or`, a comma less than both.
    fn expression(&mut self, line: &str) -> String {
        let mut sum = String::new();
        for part in line.split(',') {
            let part = part.trim();
            let (operator, part) = match part.split_once(' ') {
                Some(("and", rest)) => ("AND", rest),
                Some(("or", rest)) => ("OR", rest),
                _ => ("AND", part),
            };
            let choice = self.choice(part);
            if choice.is_empty() {
                continue;
            }
            sum = match sum.is_empty() {
                true => choice,
                false => format!("{} {operator} {}", grouped(&sum), grouped(&choice)),
            };
        }
        match sum.is_empty() {
            true => self.reference(line),
            false => sum,
        }
    }

    fn choice(&mut self, part: &str) -> String {
        let options = split_words(part, "or").into_iter().map(|option| {
            let sum = split_words(&option, "and");
            let sum: Vec<String> = sum.iter().map(|name| self.one(name)).collect();
            licence::all_of(sum.iter().map(String::as_str)).unwrap_or_default()
        });
        let options: Vec<String> = options.filter(|option| !option.is_empty()).collect();
        licence::any_of(options.iter().map(String::as_str)).unwrap_or_default()
    }

    /// One licence, with or without an exception.
    fn one(&mut self, name: &str) -> String {
        let name = name.trim();
        if name.is_empty() {
            return String::new();
        }
        if let Some((base, exception)) = name.split_once(" with ") {
            let known = short_name(base.trim()).zip(exception_name(exception.trim()));
            if let Some((licence, exception)) = known {
                return format!("{licence} WITH {exception}");
            }
            return self.reference(name);
        }
        short_name(name).unwrap_or_else(|| self.reference(name))
    }

    /// A name of our own for what SPDX has none for. Equal texts get equal names.
    fn reference(&mut self, name: &str) -> String {
        let text = self.texts.get(&name.to_ascii_lowercase()).copied();
        let text = text.map_or_else(|| name.to_owned(), unindented);
        let clean: String = name
            .chars()
            .map(|letter| match letter {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => letter,
                _ => '-',
            })
            .take(64)
            .collect();
        let hash = &Digest::of(text.as_bytes()).short()[..8];
        let reference = format!("LicenseRef-Debian-{clean}-{hash}");
        let kept = || shown_lines(cut(&text, TEXT_BYTES));
        self.kept.entry(reference.clone()).or_insert_with(kept);
        reference
    }
}

fn grouped(expression: &str) -> String {
    match expression.contains(' ') {
        true => format!("({expression})"),
        false => expression.to_owned(),
    }
}

fn split_words(text: &str, operator: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in text.split_whitespace() {
        if word.eq_ignore_ascii_case(operator) {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(word);
        }
    }
    parts
}

/// Lines without their first blank; ` .` is an empty one.
fn unindented(text: &str) -> String {
    let lines = text.lines().map(|line| match line.trim() {
        "." => "",
        _ => line.strip_prefix(' ').unwrap_or(line).trim_end(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn shown_lines(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n")
}

/// Debian's short names beside SPDX's. GNU licences have rules instead of rows.
const NAMES: [(&str, &str); 33] = [
    ("0bsd", "0BSD"),
    ("apache-1", "Apache-1.0"),
    ("apache-2", "Apache-2.0"),
    ("artistic", "Artistic-1.0"),
    ("artistic-1", "Artistic-1.0"),
    ("artistic-2", "Artistic-2.0"),
    ("boost", "BSL-1.0"),
    ("boost-1.0", "BSL-1.0"),
    ("bsd-2", "BSD-2-Clause"),
    ("bsd-2-clauses", "BSD-2-Clause"),
    ("bsd-3", "BSD-3-Clause"),
    ("bsd-3-clauses", "BSD-3-Clause"),
    ("bsd-4", "BSD-4-Clause"),
    ("cc-by-sa-3", "CC-BY-SA-3.0"),
    ("cc-by-sa-4", "CC-BY-SA-4.0"),
    ("cc0", "CC0-1.0"),
    ("efl-2", "EFL-2.0"),
    ("expat", "MIT"),
    ("freetype", "FTL"),
    ("icu", "ICU"),
    ("mit/x11", "X11"),
    ("mpl-1", "MPL-1.0"),
    ("mpl-2", "MPL-2.0"),
    ("perl", "Artistic-1.0-Perl OR GPL-1.0-or-later"),
    ("psf", "PSF-2.0"),
    ("psf-2", "PSF-2.0"),
    ("python", "Python-2.0"),
    ("qpl-1", "QPL-1.0"),
    ("sil-1.1", "OFL-1.1"),
    ("unicode", "Unicode-DFS-2016"),
    ("zlib/libpng", "Zlib"),
    ("zope-2.1", "ZPL-2.1"),
    ("zpl-2", "ZPL-2.0"),
];

fn short_name(name: &str) -> Option<String> {
    let small = name.to_ascii_lowercase();
    if let Some(gnu) = gnu_name(&small) {
        return Some(gnu);
    }
    if let Ok(at) = NAMES.binary_search_by_key(&small.as_str(), |(debian, _)| debian) {
        return Some(NAMES[at].1.to_owned());
    }
    licence::named(name).map(str::to_owned)
}

/// `gpl-2+` is `GPL-2.0-or-later`, `lgpl-2.1` is `LGPL-2.1-only`, `gfdl-niv-1.3+` is
/// `GFDL-1.3-no-invariants-or-later`.
fn gnu_name(small: &str) -> Option<String> {
    let (family, rest) = small.split_once('-')?;
    let family = match family {
        "gpl" => "GPL",
        "lgpl" => "LGPL",
        "agpl" => "AGPL",
        "gfdl" | "fdl" => "GFDL",
        _ => return None,
    };
    let (rest, invariants) = match rest.strip_prefix("niv-") {
        Some(rest) => (rest, "-no-invariants"),
        None => (rest, ""),
    };
    let later = [".0+", "+", "-or-later"];
    let later = later.iter().find_map(|suffix| rest.strip_suffix(suffix));
    let version = later.unwrap_or(rest).trim_end_matches("-only");
    let version = match version.contains('.') {
        true => version.to_owned(),
        false => format!("{version}.0"),
    };
    let extent = if later.is_some() { "or-later" } else { "only" };
    licence::named(&format!("{family}-{version}{invariants}-{extent}")).map(str::to_owned)
}

fn exception_name(words: &str) -> Option<&'static str> {
    let words = words.to_ascii_lowercase();
    let name = words
        .trim_end_matches("exception")
        .trim()
        .trim_end_matches('-');
    let known = match name {
        "autoconf" => "Autoconf-exception-generic",
        "bison" => "Bison-exception-2.2",
        "classpath" => "Classpath-exception-2.0",
        "font" => "Font-exception-2.0",
        "gcc" | "gcc-runtime" | "gcc runtime library" => "GCC-exception-3.1",
        "libtool" => "Libtool-exception",
        "llvm" => "LLVM-exception",
        _ => return licence::exception(&words),
    };
    licence::exception(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(licences: &[&str]) -> Copyright {
        let mut text = String::from(
            "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n",
        );
        for (number, licence) in licences.iter().enumerate() {
            text += &format!("Files: {number}/*\nCopyright: someone\nLicense: {licence}\n\n");
        }
        copyright(&text)
    }

    #[test]
    fn names_of_debian_become_names_of_spdx() {
        for (debian, spdx) in [
            ("GPL-2+", "GPL-2.0-or-later"),
            ("GPL-3", "GPL-3.0-only"),
            ("GPL-2.0+", "GPL-2.0-or-later"),
            ("LGPL-2.1+", "LGPL-2.1-or-later"),
            ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
            ("Expat", "MIT"),
            ("BSD-3-clause", "BSD-3-Clause"),
            ("Artistic or GPL-1+", "Artistic-1.0 OR GPL-1.0-or-later"),
            (
                "GPL-2+ or Artistic and MIT",
                "GPL-2.0-or-later OR (Artistic-1.0 AND MIT)",
            ),
            (
                "GPL-2+ or Artistic, and MIT",
                "(GPL-2.0-or-later OR Artistic-1.0) AND MIT",
            ),
            (
                "GPL-3+ with GCC-Runtime exception",
                "GPL-3.0-or-later WITH GCC-exception-3.1",
            ),
            ("zlib", "Zlib"),
        ] {
            assert_eq!(of(&[debian]).expression.as_deref(), Some(spdx), "{debian}");
            assert!(crate::licence::expression(spdx).is_some(), "{spdx}");
        }
    }

    #[test]
    fn the_table_is_sorted_and_names_what_spdx_has() {
        assert!(NAMES.is_sorted());
        for (debian, spdx) in NAMES {
            assert!(crate::licence::expression(spdx).is_some(), "{debian}");
        }
    }

    #[test]
    fn licences_without_a_name_keep_their_text() {
        let read = of(&[
            "public-domain\n No rights\n .\n reserved.",
            "Expat",
            "Expat",
        ]);
        let expression = read.expression.expect("an expression");
        let (name, text) = read.texts.first_key_value().expect("a text");
        assert_eq!(expression, format!("MIT AND {name}"));
        assert_eq!(text, "No rights\n\nreserved.");
        assert!(name.starts_with("LicenseRef-Debian-public-domain-"));
    }

    #[test]
    fn prose_is_no_statement() {
        for text in [
            "",
            "This package was debianized by hand.\n\nLicense: GPL\n",
            "Format: x\n",
        ] {
            assert_eq!(copyright(text), Copyright::default(), "{text:?}");
        }
    }
}

//! Which Python an app asks for.

use model::failure::{Failure, FailureCode};
use model::plan::Clue;

use crate::detect::folder::Folder;
use crate::detect::python::code::Script;
use crate::detect::python::requirements::Listed;
use crate::detect::python::stdlib::is_gone;
use crate::recipe::{PYTHONS, PythonVersion};

/// The version, and what speaks for it.
pub(super) fn choose(
    folder: &Folder,
    listed: &Listed,
    scripts: &[Script],
) -> (PythonVersion, Vec<Clue>) {
    for file in [".python-version", "runtime.txt"] {
        if let Some(minor) = folder.text(file).and_then(|text| minor_of(&text)) {
            let version = nearest(minor);
            let clue = Clue {
                file: folder.name_of(file),
                line: Some(1),
                says: format!("asks for Python 3.{minor}; {version} is taken"),
            };
            return (PythonVersion::Asked(version.into()), vec![clue]);
        }
    }
    if let Some((wish, clue)) = &listed.requires_python {
        let fitting: Vec<&str> = PYTHONS.into_iter().filter(|v| allows(wish, v)).collect();
        match fitting.as_slice() {
            [only] => return (PythonVersion::Asked((*only).into()), vec![clue.clone()]),
            [] => {
                let says = format!(
                    "{}, which there is none of; {} is tried",
                    clue.says, PYTHONS[0]
                );
                let clue = Clue {
                    says,
                    ..clue.clone()
                };
                return (PythonVersion::Newest, vec![clue]);
            }
            _ => {}
        }
    }
    old_module(folder, scripts).map_or((PythonVersion::Newest, vec![]), |clue| {
        (PythonVersion::Asked("3.11".into()), vec![clue])
    })
}

/// Checks the version that mayfly.toml asks for.
pub(super) fn checked(version: &str) -> Result<PythonVersion, Failure> {
    if PYTHONS.contains(&version) {
        return Ok(PythonVersion::Asked(version.to_owned()));
    }
    let offered = PYTHONS.join(" or ");
    Err(Failure::new(
        FailureCode::BadManifest,
        format!("mayfly.toml asks for Python {version}, which there is no base image for"),
    )
    .hint(format!("set `version` under [build] to {offered}")))
}

/// A module that the code imports and that newer Pythons lack.
fn old_module(folder: &Folder, scripts: &[Script]) -> Option<Clue> {
    scripts.iter().find_map(|script| {
        let import = script.imports.iter().find(|import| is_gone(import.top()))?;
        Some(Clue {
            file: folder.name_of(&script.path),
            line: Some(import.line),
            says: format!(
                "imports `{}`, which Python 3.13 no longer has",
                import.top()
            ),
        })
    })
}

/// The minor version that a line like `3.11`, `3.11.4` or `python-3.11.4` names.
fn minor_of(text: &str) -> Option<u32> {
    let line = text.lines().next()?.trim();
    let version = line.strip_prefix("python-").unwrap_or(line);
    let mut parts = version.split('.');
    (parts.next()? == "3").then(|| parts.next()?.parse().ok())?
}

/// Python 3.12 already lacks what 3.13 lacks, mostly; everything older is nearer to 3.11.
fn nearest(minor: u32) -> &'static str {
    if minor >= 12 { "3.13" } else { "3.11" }
}

/// Whether the version specifier `wish` (PEP 440) allows some release of `version` (`3.11`).
fn allows(wish: &str, version: &str) -> bool {
    let Some(minor) = minor_of(version) else {
        return false;
    };
    wish.split(',')
        .all(|clause| allows_clause(clause.trim(), minor))
}

fn allows_clause(clause: &str, minor: u32) -> bool {
    let digits = clause
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(clause.len());
    let (operator, version) = clause.split_at(digits);
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let (major, wanted, patch) = (
        parts.next().flatten().unwrap_or(3),
        parts.next().flatten(),
        parts.next().flatten(),
    );
    let whole = wanted.unwrap_or(0);
    match (operator.trim(), major) {
        (">=" | ">", ..3) | ("<" | "<=", 4..) | ("!=", _) => true,
        (">=", 3) | (">", 3) => minor >= whole,
        ("<=", 3) => minor <= whole,
        // `<3.13.2` still allows 3.13.1.
        ("<", 3) => minor < whole || (minor == whole && patch.is_some_and(|patch| patch > 0)),
        ("~=", 3) if patch.is_some() => minor == whole,
        ("~=", 3) => minor >= whole,
        ("==" | "===" | "", 3) => wanted.is_none_or(|wanted| wanted == minor),
        (">=" | ">" | "<=" | "<" | "~=" | "==" | "===" | "", _) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_specifiers_are_understood() {
        for (wish, on_3_13, on_3_11) in [
            (">=3.9", true, true),
            (">=3.12", true, false),
            (">=3.8,<3.13", false, true),
            ("==3.11.*", false, true),
            ("~=3.11", true, true),
            ("~=3.11.2", false, true),
            (">=3.11,<4", true, true),
            ("<3.12", false, true),
            (">=3.14", false, false),
            ("<3", false, false),
            ("nonsense", true, true),
        ] {
            assert_eq!(allows(wish, "3.13"), on_3_13, "{wish} on 3.13");
            assert_eq!(allows(wish, "3.11"), on_3_11, "{wish} on 3.11");
        }
    }

    #[test]
    fn a_version_file_names_the_minor_version() {
        for (text, minor) in [
            ("3.11\n", Some(11)),
            ("python-3.9.18", Some(9)),
            ("3", None),
            ("pypy3", None),
        ] {
            assert_eq!(minor_of(text), minor, "{text}");
        }
    }
}

//! Licences as SPDX expressions.

use spdx::{Expression, ParseMode};

/// What packages write into fields that ask for an SPDX expression: names that SPDX has replaced
/// are still good ones.
const MODE: ParseMode = ParseMode {
    allow_deprecated: true,
    ..ParseMode::STRICT
};

/// The longest expression that is read; longer ones are texts.
const LONGEST: usize = 4_096;
/// Parentheses within parentheses.
const DEEPEST: usize = 32;

/// `text` when it is an SPDX expression whose licences are all known.
pub(crate) fn expression(text: &str) -> Option<String> {
    let text = text.trim();
    let open = text.bytes().filter(|byte| *byte == b'(').count();
    if text.is_empty() || text.len() > LONGEST || open > DEEPEST || text.contains("LicenseRef-") {
        return None;
    }
    Expression::parse_mode(text, MODE).ok()?;
    Some(with_upper_operators(text))
}

/// The operators of SPDX 2.3 are upper case; packages write both.
fn with_upper_operators(text: &str) -> String {
    let words = text.split_whitespace().map(|word| match word {
        "and" => "AND",
        "or" => "OR",
        "with" => "WITH",
        other => other,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The licence of that name, whatever its capitals: `apache-2.0` is `Apache-2.0`.
pub(crate) fn named(name: &str) -> Option<&'static str> {
    if let Some(id) = spdx::license_id(name) {
        return Some(id.name);
    }
    let known = spdx::identifiers::LICENSES.iter();
    let mut same = known.filter(|known| known.name.eq_ignore_ascii_case(name));
    same.next().map(|known| known.name)
}

/// The exception of that name.
pub(crate) fn exception(name: &str) -> Option<&'static str> {
    spdx::exception_id(name).map(|id| id.name)
}

/// All of several expressions: those that are choices get parentheses.
pub(crate) fn all_of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    joined(parts, " AND ", " OR ")
}

/// One of several expressions.
pub(crate) fn any_of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    joined(parts, " OR ", " AND ")
}

fn joined<'a>(
    parts: impl IntoIterator<Item = &'a str>,
    operator: &str,
    weaker: &str,
) -> Option<String> {
    let mut seen: Vec<&str> = Vec::new();
    for part in parts {
        if !seen.contains(&part) {
            seen.push(part);
        }
    }
    match seen[..] {
        [] => None,
        [one] => Some(one.to_owned()),
        _ => {
            let wrapped = seen.iter().map(|part| match part.contains(weaker) {
                true => format!("({part})"),
                false => (*part).to_owned(),
            });
            Some(wrapped.collect::<Vec<_>>().join(operator))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_expressions_of_known_licences_are_taken() {
        for (text, read) in [
            ("MIT", Some("MIT")),
            (" Apache-2.0 or MIT ", Some("Apache-2.0 OR MIT")),
            (
                "GPL-2.0-or-later WITH Classpath-exception-2.0",
                Some("GPL-2.0-or-later WITH Classpath-exception-2.0"),
            ),
            ("GPL-2.0", Some("GPL-2.0")),
            ("(MIT AND Zlib)", Some("(MIT AND Zlib)")),
            ("BSD", None),
            ("SEE LICENSE IN LICENSE.md", None),
            ("UNLICENSED", None),
            ("LicenseRef-x", None),
            ("MIT License", None),
            ("", None),
        ] {
            assert_eq!(expression(text).as_deref(), read, "{text:?}");
        }
        assert_eq!(expression(&"(".repeat(100_000)), None);
        assert_eq!(named("apache-2.0"), Some("Apache-2.0"));
    }

    #[test]
    fn choices_within_a_sum_are_in_parentheses() {
        assert_eq!(
            all_of(["MIT", "GPL-2.0-only OR MIT", "MIT"]).as_deref(),
            Some("MIT AND (GPL-2.0-only OR MIT)")
        );
        assert_eq!(all_of([]), None);
    }
}

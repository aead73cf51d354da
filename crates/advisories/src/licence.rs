//! Whether a package's licence is one of those that may be used.

use spdx::{Expression, ParseMode};

/// What comes of a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LicenceVerdict {
    /// The list allows it, or one of the choices that it leaves.
    Allowed,
    /// The list does not.
    Outside,
    /// The package does not say, or not in words that have one meaning.
    Unknown,
}

/// Names that SPDX has replaced, as packages still write them, are read too.
const MODE: ParseMode = ParseMode {
    allow_deprecated: true,
    ..ParseMode::STRICT
};

/// The longest expression that is read.
const LONGEST: usize = 4_096;
/// Parentheses within parentheses.
const DEEPEST: usize = 32;

/// Judges an SPDX expression by a list of licences: `MIT`, `Apache-2.0 WITH LLVM-exception`.
///
/// Of `A OR B` one must be allowed, of `A AND B` both. An exception only ever permits more, so that
/// a licence that is allowed is so with any exception.
pub fn licence_verdict(expression: Option<&str>, allowed: &[&str]) -> LicenceVerdict {
    let Some(expression) = expression.and_then(read) else {
        return LicenceVerdict::Unknown;
    };
    let is_allowed = expression.evaluate(|licence| {
        let whole = licence.to_string();
        let plain = whole.split(" WITH ").next().unwrap_or(&whole);
        allowed.iter().any(|one| *one == whole || *one == plain)
    });
    match is_allowed {
        true => LicenceVerdict::Allowed,
        false => LicenceVerdict::Outside,
    }
}

fn read(text: &str) -> Option<Expression> {
    let text = text.trim();
    let open = text.bytes().filter(|byte| *byte == b'(').count();
    if text.is_empty() || text.len() > LONGEST || open > DEEPEST {
        return None;
    }
    Expression::parse_mode(text, MODE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use LicenceVerdict::*;

    #[test]
    fn a_choice_needs_one_allowed_licence_and_a_sum_all() {
        let allowed = [
            "MIT",
            "Apache-2.0",
            "GPL-2.0-only WITH Classpath-exception-2.0",
        ];
        for (expression, verdict) in [
            (Some("MIT"), Allowed),
            (Some("MIT OR GPL-3.0-only"), Allowed),
            (Some("MIT AND GPL-3.0-only"), Outside),
            (Some("(MIT OR GPL-3.0-only) AND Apache-2.0"), Allowed),
            (Some("Apache-2.0 WITH LLVM-exception"), Allowed),
            (Some("GPL-2.0-only WITH Classpath-exception-2.0"), Allowed),
            (Some("GPL-2.0-only"), Outside),
            (Some("LicenseRef-own"), Outside),
            (Some("BSD"), Unknown),
            (Some(""), Unknown),
            (None, Unknown),
        ] {
            assert_eq!(
                licence_verdict(expression, &allowed),
                verdict,
                "{expression:?}"
            );
        }
        assert_eq!(licence_verdict(Some("MIT"), &[]), Outside);
        assert_eq!(
            licence_verdict(Some(&"(".repeat(100_000)), &allowed),
            Unknown
        );
    }
}

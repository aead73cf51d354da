//! Why we find a record that osv-scanner does not: what the record says must show it.

use serde_json::Value;

use super::pins::Pin;

/// A record and a package.
struct Case<'a> {
    record: &'a Value,
    pin: &'a Pin,
}

/// A difference that may be, and why.
struct Rule {
    reason: &'static str,
    fits: fn(&Case<'_>) -> bool,
}

/// Nothing else passes.
const RULES: [Rule; 0] = [];

/// The reason for which a finding may be ours alone.
pub(super) fn reason(record: &Value, pin: &Pin) -> Option<&'static str> {
    let case = Case { record, pin };
    let rule = RULES.iter().find(|rule| (rule.fits)(&case))?;
    Some(rule.reason)
}

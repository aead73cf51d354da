//! Why we find a record that osv-scanner does not: what the record says must show it.

use serde_json::Value;

use super::pins::{Ecosystem, Pin};

/// A record and a package.
struct Case<'a> {
    /// What the record says about the package, entry by entry.
    affected: Vec<&'a Value>,
    pin: &'a Pin,
}

/// A difference that may be, and why.
struct Rule {
    reason: &'static str,
    fits: fn(&Case<'_>) -> bool,
}

/// Nothing else passes.
const RULES: [Rule; 6] = [
    Rule {
        reason: "commits stand before versions in the record; osv-scanner reads no range after them",
        fits: |case| case.affected.iter().any(|one| is_behind_commits(one)),
    },
    Rule {
        reason: "the record spells the name otherwise (PEP 503 calls both one package)",
        fits: |case| {
            let is_other = |one: &&Value| one["package"]["name"] != case.pin.name.as_str();
            case.pin.ecosystem == Ecosystem::Pypi && case.affected.iter().all(is_other)
        },
    },
    Rule {
        reason: "a range says where it ends and not where it begins; all before is taken for affected",
        fits: |case| case.ranges().any(|range| !has(range, "introduced")),
    },
    Rule {
        reason: "a local version (`1.0+cu118`) of the last affected version is that version with \
                 other files",
        fits: |case| {
            let public = case.pin.version.split_once('+').map(|(public, _)| public);
            public.is_some_and(|public| {
                case.events("last_affected")
                    .any(|last| is_same(last, public))
            })
        },
    },
    Rule {
        reason: "a capital letter in a module's path, above its last part: osv-scanner asks for a name \
                 that no record has",
        fits: |case| {
            let above = case.pin.name.rsplit_once('/').map(|(above, _)| above);
            let has_capital = |text: &str| text.bytes().any(|byte| byte.is_ascii_uppercase());
            case.pin.ecosystem == Ecosystem::Go && above.is_some_and(has_capital)
        },
    },
    Rule {
        reason: "the record lists the version in another spelling (PEP 440 calls both one version)",
        fits: |case| {
            let listed = case.affected.iter().flat_map(|one| list(&one["versions"]));
            let mut listed = listed.filter_map(Value::as_str);
            let version = case.pin.version.as_str();
            let is_pypi = case.pin.ecosystem == Ecosystem::Pypi;
            is_pypi && listed.any(|one| one != version && is_same(one, version))
        },
    },
];

/// The reason for which a finding may be ours alone.
pub(super) fn reason(record: &Value, pin: &Pin) -> Option<&'static str> {
    let of_pin = |one: &&Value| {
        let text = |field: &str| one["package"][field].as_str().unwrap_or_default();
        let named = Pin::new(text("ecosystem"), text("name"), &pin.version);
        named.is_some_and(|named| named == *pin)
    };
    let affected = list(&record["affected"]).iter().filter(of_pin);
    let affected: Vec<&Value> = affected.collect();
    if affected.is_empty() {
        return None;
    }
    let case = Case { affected, pin };
    let rule = RULES.iter().find(|rule| (rule.fits)(&case))?;
    Some(rule.reason)
}

impl<'a> Case<'a> {
    /// The ranges of versions.
    fn ranges(&self) -> impl Iterator<Item = &'a Value> {
        let ranges = self.affected.iter().flat_map(|one| list(&one["ranges"]));
        ranges.filter(|range| range["type"] != "GIT")
    }

    /// The versions at which something of this kind happens.
    fn events(&self, kind: &'static str) -> impl Iterator<Item = &'a str> {
        let events = self.ranges().flat_map(|range| list(&range["events"]));
        events.filter_map(move |event| event[kind].as_str())
    }
}

fn is_behind_commits(affected: &Value) -> bool {
    let mut ranges = list(&affected["ranges"]).iter();
    let is_git = |range: &Value| range["type"] == "GIT";
    ranges.any(is_git) && ranges.any(|range| !is_git(range))
}

fn has(range: &Value, kind: &str) -> bool {
    list(&range["events"])
        .iter()
        .any(|event| event.get(kind).is_some())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Whether two texts are one Python version: zeros at the end, capitals and a `v` say nothing.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        let text = text.trim_start_matches('v').to_lowercase();
        let mut text = text.replace(['-', '_'], ".");
        while let Some(shorter) = text.strip_suffix(".0") {
            text = shorter.to_owned();
        }
        text
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record(ecosystem: &str, name: &str, rest: Value) -> Value {
        let mut affected = rest;
        affected["package"] = json!({ "ecosystem": ecosystem, "name": name });
        json!({ "id": "X", "affected": [affected] })
    }

    #[test]
    fn only_what_the_record_shows_is_a_reason() {
        let git = json!({"type": "GIT", "events": [{"introduced": "0"}]});
        let open = json!({"type": "ECOSYSTEM", "events": [{"introduced": "0"}]});
        let headless = json!({"type": "ECOSYSTEM", "events": [{"fixed": "2"}]});
        let last =
            json!({"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"last_affected": "1.0"}]});
        for (ecosystem, named, ranges, pin, explained) in [
            ("PyPI", "a", json!([git, open]), "PyPI a 1", true),
            ("PyPI", "a", json!([open, git]), "PyPI a 1", false),
            ("PyPI", "a", json!([open]), "PyPI a 1", false),
            ("PyPI", "A.b", json!([open]), "PyPI a-b 1", true),
            ("PyPI", "a-b", json!([open]), "PyPI a-b 1", false),
            ("PyPI", "a", json!([headless]), "PyPI a 1", true),
            ("PyPI", "a", json!([last]), "PyPI a 1.0+cpu", true),
            ("PyPI", "a", json!([last]), "PyPI a 0.9+cpu", false),
            ("Go", "x.org/A/b", json!([open]), "Go x.org/A/b 1.0.0", true),
            (
                "Go",
                "x.org/a/B",
                json!([open]),
                "Go x.org/a/B 1.0.0",
                false,
            ),
            // Of another package nothing is shown.
            ("PyPI", "b", json!([git, open]), "PyPI a 1", false),
        ] {
            let record = record(ecosystem, named, json!({ "ranges": ranges }));
            let pin = Pin::read(pin).expect("a pin");
            assert_eq!(
                reason(&record, &pin).is_some(),
                explained,
                "{pin:?} {record}"
            );
        }
    }

    #[test]
    fn a_listed_version_may_be_spelled_otherwise() {
        let listed = record("PyPI", "a", json!({ "versions": ["1.0.0"] }));
        for (pin, explained) in [
            ("PyPI a 1.0", true),
            ("PyPI a 1.0.0", false),
            ("PyPI a 1.1", false),
        ] {
            let pin = Pin::read(pin).expect("a pin");
            assert_eq!(reason(&listed, &pin).is_some(), explained, "{pin:?}");
        }
    }
}

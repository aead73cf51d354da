//! What SARIF 2.1.0 demands of the objects that a log of ours has: which fields there may be, which
//! there must be, and of what kind each is.
//!
//! Source: OASIS SARIF 2.1.0, 3.13 to 3.55. No object may have a field that is not listed there.

use serde_json::Value;

/// A kind of value.
enum Kind {
    Text,
    /// From 1.
    Counted,
    /// From 0.
    Index,
    OneOf(&'static [&'static str]),
    Object(&'static str),
    /// A list of objects with at least so many.
    List(&'static str, usize),
    /// Any names, and texts as values.
    Texts,
    /// Any names and values.
    Bag,
}

use Kind::{Bag, Counted, Index, List, Object, OneOf, Text, Texts};

/// A field's name, whether it must be there, and its kind.
type Field = (&'static str, bool, Kind);

fn fields(object: &str) -> &'static [Field] {
    match object {
        "log" => &[
            ("$schema", false, Text),
            ("version", true, OneOf(&["2.1.0"])),
            ("runs", true, List("run", 0)),
        ],
        "run" => &[
            ("tool", true, Object("tool")),
            ("results", false, List("result", 0)),
            (
                "columnKind",
                false,
                OneOf(&["utf16CodeUnits", "unicodeCodePoints"]),
            ),
        ],
        "tool" => &[("driver", true, Object("driver"))],
        "driver" => &[
            ("name", true, Text),
            ("version", false, Text),
            ("rules", false, List("rule", 0)),
        ],
        "rule" => &[
            ("id", true, Text),
            ("shortDescription", false, Object("message")),
            ("help", false, Object("message")),
            ("properties", false, Bag),
        ],
        "message" => &[("text", true, Text)],
        "result" => &[
            ("ruleId", false, Text),
            ("ruleIndex", false, Index),
            ("level", false, OneOf(&["none", "note", "warning", "error"])),
            ("message", true, Object("message")),
            ("locations", false, List("location", 0)),
            ("partialFingerprints", false, Texts),
            ("codeFlows", false, List("codeFlow", 0)),
            ("fixes", false, List("fix", 0)),
        ],
        "location" => &[
            ("physicalLocation", false, Object("physicalLocation")),
            ("message", false, Object("message")),
        ],
        "physicalLocation" => &[
            ("artifactLocation", true, Object("artifactLocation")),
            ("region", false, Object("region")),
        ],
        "artifactLocation" => &[("uri", true, Text), ("uriBaseId", false, Text)],
        "region" => &[
            ("startLine", true, Counted),
            ("startColumn", false, Counted),
            ("endLine", false, Counted),
            ("endColumn", false, Counted),
        ],
        "codeFlow" => &[("threadFlows", true, List("threadFlow", 1))],
        "threadFlow" => &[("locations", true, List("threadFlowLocation", 1))],
        "threadFlowLocation" => &[("location", false, Object("location"))],
        "fix" => &[
            ("description", false, Object("message")),
            ("artifactChanges", true, List("artifactChange", 1)),
        ],
        "artifactChange" => &[
            ("artifactLocation", true, Object("artifactLocation")),
            ("replacements", true, List("replacement", 1)),
        ],
        "replacement" => &[
            ("deletedRegion", true, Object("region")),
            ("insertedContent", false, Object("message")),
        ],
        other => panic!("no such object: {other}"),
    }
}

/// Everything that is wrong in a log.
pub(crate) fn faults(log: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    look("log", log, "", &mut faults);
    let runs = log["runs"].as_array().into_iter().flatten();
    for run in runs {
        same_rules(run, &mut faults);
    }
    faults
}

/// A result's rule is the one at its index.
fn same_rules(run: &Value, faults: &mut Vec<String>) {
    let rules = &run["tool"]["driver"]["rules"];
    for result in run["results"].as_array().into_iter().flatten() {
        let index = result["ruleIndex"].as_u64().unwrap_or(u64::MAX) as usize;
        if rules[index]["id"] != result["ruleId"] {
            faults.push(format!("rule {index} is not {}", result["ruleId"]));
        }
    }
}

fn look(object: &str, value: &Value, at: &str, faults: &mut Vec<String>) {
    let Some(map) = value.as_object() else {
        faults.push(format!("{at} is no {object}"));
        return;
    };
    let fields = fields(object);
    for name in map.keys() {
        if !fields.iter().any(|(known, _, _)| known == name) {
            faults.push(format!("{at}/{name}: {object} has no such field"));
        }
    }
    for (name, is_needed, kind) in fields {
        let at = format!("{at}/{name}");
        match map.get(*name) {
            None if *is_needed => faults.push(format!("{at} is missing")),
            None => {}
            Some(value) => look_at_field(kind, value, &at, faults),
        }
    }
}

fn look_at_field(kind: &Kind, value: &Value, at: &str, faults: &mut Vec<String>) {
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let fits = match kind {
        Text if at.ends_with("insertedContent/text") => value.is_string(),
        Text if at.ends_with("/uri") => value.as_str().is_some_and(is_reference),
        Text => is_text(value),
        Counted => value.as_u64().is_some_and(|number| number >= 1),
        Index => value.is_u64(),
        OneOf(texts) => value.as_str().is_some_and(|text| texts.contains(&text)),
        Texts => value
            .as_object()
            .is_some_and(|map| map.values().all(is_text)),
        Bag => value.is_object(),
        Object(object) => {
            look(object, value, at, faults);
            true
        }
        List(object, least) => {
            let list = value.as_array();
            for (index, one) in list.into_iter().flatten().enumerate() {
                look(object, one, &format!("{at}/{index}"), faults);
            }
            list.is_some_and(|list| list.len() >= *least)
        }
    };
    if !fits {
        faults.push(format!("{at} is wrong: {value}"));
    }
}

/// Letters that a relative reference may have.
fn is_reference(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%!$&'()*+,;=@".contains(&byte);
    !text.is_empty() && !text.starts_with('/') && text.bytes().all(allowed)
}

#[test]
fn a_log_that_breaks_the_format_is_seen() {
    let good = serde_json::json!({"version": "2.1.0", "runs": [{
        "tool": {"driver": {"name": "x", "rules": [{"id": "a"}]}},
        "results": [{"ruleId": "a", "ruleIndex": 0, "message": {"text": "t"}}],
    }]});
    assert_eq!(faults(&good), Vec::<String>::new());
    for (place, value) in [
        ("/version", "2.0.0".into()),
        ("/runs/0/tool/driver/name", Value::Null),
        ("/runs/0/results/0/message/text", "".into()),
        ("/runs/0/results/0/ruleIndex", 1.into()),
        ("/runs/0/results/0", serde_json::json!({"rule": "a"})),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).expect("a place") = value;
        assert_ne!(faults(&bad), Vec::<String>::new(), "{place}");
    }
}

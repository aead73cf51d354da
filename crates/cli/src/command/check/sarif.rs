//! Findings as SARIF 2.1.0 (OASIS), for code hosts and editors.

use std::collections::BTreeMap;

use model::finding::{Finding, Fix, FixKind, Severity};
use serde_json::{Value, json};

/// The log of one run.
pub(super) fn log(findings: &[Finding]) -> Value {
    let rules: BTreeMap<&str, &Finding> = findings
        .iter()
        .map(|finding| (finding.rule_id.as_str(), finding))
        .collect();
    let places: BTreeMap<&str, usize> = rules.keys().copied().zip(0..).collect();
    let results = findings
        .iter()
        .map(|finding| result(finding, places[finding.rule_id.as_str()]));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mayfly",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.values().map(|finding| rule(finding)).collect::<Vec<_>>(),
            }},
            // As findings count them.
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn rule(finding: &Finding) -> Value {
    let cwe = finding.cwe.map(|cwe| format!("external/cwe/cwe-{cwe:03}"));
    let tags = cwe.into_iter().chain(["security".to_owned()]);
    json!({
        "id": finding.rule_id,
        "shortDescription": { "text": text(&finding.why, &finding.rule_id) },
        "help": { "text": text(&finding.next, &finding.why) },
        "properties": {
            "tags": tags.collect::<Vec<_>>(),
            "security-severity": score(finding.severity),
        },
    })
}

/// A text that is not empty, which none may be.
fn text<'a>(first: &'a str, otherwise: &'a str) -> &'a str {
    match first.is_empty() {
        true => otherwise,
        false => first,
    }
}

/// As code hosts sort by it: the middle of the range that CVSS calls so.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

fn result(finding: &Finding, rule: usize) -> Value {
    let level = match (finding.blocks, finding.severity) {
        (true, _) => "error",
        (false, Severity::Info | Severity::Low) => "note",
        (false, _) => "warning",
    };
    let message = format!("{} {}", finding.why, finding.next);
    let mut result = json!({
        "ruleId": finding.rule_id,
        "ruleIndex": rule,
        "level": level,
        "message": { "text": text(message.trim(), &finding.rule_id) },
        "locations": location(finding).into_iter().collect::<Vec<_>>(),
        "partialFingerprints": { "mayfly/v1": finding.fingerprint.to_string() },
    });
    if let Some(flow) = flow(finding) {
        result["codeFlows"] = json!([flow]);
    }
    if let Some(fix) = finding
        .fix
        .as_ref()
        .and_then(|fix| change(&finding.file, fix))
    {
        result["fixes"] = json!([fix]);
    }
    result
}

/// Where it is; none when no file is at fault.
fn location(finding: &Finding) -> Option<Value> {
    if finding.file.is_empty() {
        return None;
    }
    let mut place = json!({ "artifactLocation": artifact(&finding.file) });
    if finding.line > 0 {
        let end = finding.end.line.max(finding.line);
        let mut region = json!({
            "startLine": finding.line, "startColumn": finding.column.max(1), "endLine": end,
        });
        if finding.end.line > finding.line || finding.end.column > finding.column {
            region["endColumn"] = finding.end.column.max(1).into();
        }
        place["region"] = region;
    }
    Some(json!({ "physicalLocation": place }))
}

fn artifact(file: &str) -> Value {
    json!({ "uri": uri(file), "uriBaseId": "%SRCROOT%" })
}

/// A path as a relative reference (RFC 3986).
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    let parts = path.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    parts.collect()
}

/// The way of a value, up to where it does harm.
fn flow(finding: &Finding) -> Option<Value> {
    if finding.trace.is_empty() {
        return None;
    }
    let steps = finding.trace.iter().map(|step| {
        json!({ "location": {
            "physicalLocation": {
                "artifactLocation": artifact(&step.file),
                "region": { "startLine": step.line.max(1) },
            },
            "message": { "text": text(&step.what, "here") },
        }})
    });
    Some(json!({ "threadFlows": [{ "locations": steps.collect::<Vec<_>>() }] }))
}

/// A mechanical fix, as its patch makes it: whole lines become others.
fn change(file: &str, fix: &Fix) -> Option<Value> {
    if fix.kind != FixKind::Replace {
        return None;
    }
    let patch = fix.patch.as_deref()?;
    let mut lines = patch.lines().skip_while(|line| !line.starts_with("@@ -"));
    let place = lines.next()?.strip_prefix("@@ -")?;
    let first: u32 = place.split([',', ' ']).next()?.parse().ok()?;
    let of = |mark: char| {
        lines
            .clone()
            .filter_map(move |line| line.strip_prefix(mark))
    };
    let before: Vec<&str> = of('-').collect();
    let after: Vec<&str> = of('+').collect();
    let last = first + u32::try_from(before.len()).ok()?.checked_sub(1)?;
    Some(json!({
        "description": { "text": format!("`{}` → `{}`", fix.from, fix.to) },
        "artifactChanges": [{
            "artifactLocation": artifact(file),
            "replacements": [{
                "deletedRegion": {
                    "startLine": first, "startColumn": 1,
                    "endLine": last, "endColumn": before.last()?.chars().count() + 1,
                },
                "insertedContent": { "text": after.join("\n") },
            }],
        }],
    }))
}

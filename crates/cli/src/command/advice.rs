//! What an app's user should do about what it wrote and asked for, with the lines to add.

use std::collections::BTreeSet;

use api::types::AppStatus;
use model::instance::DeniedEgress;
use model::keep::DEFAULT_KEEP;
use model::manifest;

/// Files beyond this are counted, not named.
const NAMED: usize = 5;

/// Sentences, the most pressing first.
pub(crate) fn of(status: &AppStatus) -> Vec<String> {
    let keep = status.plan.as_ref().map(|plan| plan.keep.clone());
    let keep = keep.unwrap_or_else(|| DEFAULT_KEEP.map(str::to_owned).to_vec());
    let texts = [
        lost(&status.will_be_lost, &keep),
        moves(&status.will_be_kept),
        denied(&status.denied),
    ];
    texts
        .into_iter()
        .flatten()
        .chain(status.notices.iter().cloned())
        .collect()
}

fn lost(files: &[String], keep: &[String]) -> Option<String> {
    let patterns = patterns(files);
    let all = keep
        .iter()
        .chain(patterns.iter().filter(|pattern| !keep.contains(pattern)));
    let all: Vec<_> = all.map(|pattern| quote(pattern)).collect();
    (!files.is_empty()).then(|| {
        format!(
            "will be lost with the next release: {}\n  to keep it, add to {}:\n    [run]\n    keep = [{}]",
            name(files),
            manifest::FILE_NAME,
            all.join(", ")
        )
    })
}

fn moves(files: &[String]) -> Option<String> {
    (!files.is_empty()).then(|| {
        format!(
            "was written while the app ran, and moves to its kept data with the next release: {}",
            name(files)
        )
    })
}

fn denied(denied: &[DeniedEgress]) -> Option<String> {
    let hosts: BTreeSet<String> = denied.iter().map(rule).collect();
    let asked: Vec<_> = hosts.iter().cloned().collect();
    let quoted: Vec<_> = asked.iter().map(|host| quote(host)).collect();
    (!denied.is_empty()).then(|| {
        format!(
            "asked for and was denied: {}\n  to allow it, add to {}:\n    [egress]\n    allow = [{}]",
            name(&asked),
            manifest::FILE_NAME,
            quoted.join(", ")
        )
    })
}

/// The rule that lets a host through: the ports of HTTP and HTTPS need not be named.
fn rule(denied: &DeniedEgress) -> String {
    match denied.port {
        80 | 443 => denied.host.clone(),
        port => format!("{}:{port}", denied.host),
    }
}

/// Patterns for files: several in one folder become that folder.
fn patterns(files: &[String]) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    for file in files {
        let top = file.split_once('/').map(|(top, _)| format!("{top}/"));
        let beside = |top: &String| files.iter().filter(|file| file.starts_with(top)).count() > 1;
        let pattern = top.filter(beside).unwrap_or_else(|| file.clone());
        if !patterns.contains(&pattern) {
            patterns.push(pattern);
        }
    }
    patterns
}

fn name(texts: &[String]) -> String {
    let named = texts
        .iter()
        .take(NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match texts.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// Writes a text as a basic string (TOML 1.0, "String").
fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    let clean: String = escaped
        .chars()
        .filter(|letter| !letter.is_control())
        .collect();
    format!("\"{clean}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_folder_are_kept_by_that_folder() {
        let texts = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        for (files, expected) in [
            (vec!["a.json"], vec!["a.json"]),
            (vec!["out/a", "out/b/c", "d"], vec!["out/", "d"]),
            (vec!["out/a", "outer"], vec!["out/a", "outer"]),
            (vec![], vec![]),
        ] {
            assert_eq!(patterns(&texts(&files)), texts(&expected), "{files:?}");
        }
    }

    #[test]
    fn the_line_to_add_keeps_what_is_kept_already() {
        let texts = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let text = lost(
            &texts(&["notes.json", "we\"ird"]),
            &texts(&["*.db", "notes.json"]),
        );
        let text = text.expect("advice");
        assert!(
            text.ends_with(r#"keep = ["*.db", "notes.json", "we\"ird"]"#),
            "{text}"
        );
        assert_eq!(lost(&[], &texts(&["*.db"])), None);
    }

    #[test]
    fn a_denied_host_is_allowed_with_its_port_when_that_is_unusual() {
        let asked = |host: &str, port| DeniedEgress {
            host: host.into(),
            port,
        };
        let all = [
            asked("b.example", 5432),
            asked("a.example", 443),
            asked("a.example", 80),
        ];
        let text = denied(&all).expect("advice");
        assert!(
            text.ends_with(r#"allow = ["a.example", "b.example:5432"]"#),
            "{text}"
        );
    }
}

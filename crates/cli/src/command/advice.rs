//! What an app's user should do about what it wrote and asked for, with the lines to add.

use std::collections::BTreeSet;

use api::types::AppStatus;
use model::advice::{lost, name, quote};
use model::instance::DeniedEgress;
use model::keep::DEFAULT_KEEP;
use model::manifest;

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

#[cfg(test)]
mod tests {
    use super::*;

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

//! Known vulnerabilities as findings: what is shown to people and agents.

use crate::advisory::{AdvisoryKind, Certainty, Hit, Origin, Rating};
use crate::finding::{
    Confidence, Finding, Fingerprint, Fix, FixKind, FixSafety, Gate, Place, Severity,
};

/// A hit in a package of an image, as a finding. `path` are the packages from what the app asks for
/// to the one that has it, as package URLs; empty when that is not known.
pub fn finding(hit: &Hit, origin: Origin, path: &[String]) -> Finding {
    let fix = hit.fixed_in.as_ref().map(|fixed_in| Fix {
        kind: FixKind::Upgrade,
        safety: FixSafety::Review,
        from: hit.version.clone(),
        to: fixed_in.clone(),
        patch: None,
        file_digest: None,
    });
    Finding {
        fingerprint: Fingerprint(hit.fingerprint()),
        gate: Gate::Vulnerabilities,
        rule_id: hit.id.clone(),
        severity: severity(hit),
        confidence: match hit.certainty {
            Certainty::Certain => Confidence::High,
            Certainty::Assumed => Confidence::Low,
        },
        blocks: hit.blocks_by_default(origin),
        cwe: None,
        file: String::new(),
        line: 0,
        column: 0,
        end: Place::default(),
        snippet: format!("{} {}", hit.name, hit.version),
        trace: Vec::new(),
        why: why(hit),
        next: next(hit, origin, path),
        fix,
        purl: Some(hit.purl.clone()),
        path: path.to_vec(),
        aliases: hit.aliases.clone(),
        introduced_by_this_change: None,
        retryable: false,
    }
}

fn severity(hit: &Hit) -> Severity {
    match (hit.kind, hit.rating) {
        (AdvisoryKind::Malicious, _) | (_, Rating::Critical) => Severity::Critical,
        (AdvisoryKind::Notice, _) => Severity::Info,
        (_, Rating::High) => Severity::High,
        (_, Rating::Medium | Rating::Unknown) => Severity::Medium,
        (_, Rating::Low) => Severity::Low,
        (_, Rating::None) => Severity::Info,
    }
}

fn why(hit: &Hit) -> String {
    let what = match hit.kind {
        AdvisoryKind::Malicious => "this package does harm by intent",
        AdvisoryKind::Notice => "somebody should know this about the package",
        AdvisoryKind::Vulnerability => "strangers know how to attack this version",
    };
    match hit.summary.is_empty() {
        true => what.to_owned(),
        false => format!("{what}: {}", hit.summary),
    }
}

fn next(hit: &Hit, origin: Origin, path: &[String]) -> String {
    let asked = match path.first() {
        Some(first) if path.len() > 1 => format!(", which `{}` brings in", bare(first)),
        _ => String::new(),
    };
    match (hit.kind, &hit.fixed_in, origin) {
        (AdvisoryKind::Malicious, ..) => format!(
            "remove `{}`{asked}, and change every secret that this machine had",
            hit.name
        ),
        (_, _, Origin::Base) => {
            "run `mayfly up --upgrade` for a newer base; nothing else is yours to do".to_owned()
        }
        (_, Some(fixed), _) => format!(
            "use `{}` {fixed} or later{asked}; `mayfly up --upgrade` takes the newest of what no file pins",
            hit.name
        ),
        (_, None, _) => format!(
            "nobody has mended `{}` yet{asked}; watch for a new version",
            hit.name
        ),
    }
}

/// `pkg:pypi/flask@2.0` is `flask 2.0` to people.
fn bare(purl: &str) -> String {
    let text = purl.split(['?', '#']).next().unwrap_or(purl);
    let name = text.split_once('/').map_or(text, |(_, name)| name);
    name.replacen('@', " ", usize::from(!name.starts_with('@')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(kind: AdvisoryKind, rating: Rating, fixed_in: Option<&str>) -> Hit {
        Hit {
            id: "GHSA-1".into(),
            aliases: vec!["CVE-1".into()],
            kind,
            purl: "pkg:pypi/jinja2@3.1.0".into(),
            name: "jinja2".into(),
            version: "3.1.0".into(),
            rating,
            score: None,
            fixed_in: fixed_in.map(str::to_owned),
            summary: "sandbox escape".into(),
            modified: None,
            certainty: Certainty::Certain,
        }
    }

    #[test]
    fn a_finding_says_what_to_do_and_who_brought_the_package_in() {
        use AdvisoryKind as K;
        let way = [
            "pkg:pypi/flask@3.0.0".to_owned(),
            "pkg:pypi/jinja2@3.1.0".to_owned(),
        ];
        for (kind, fixed, origin, next) in [
            (
                K::Vulnerability,
                Some("3.1.6"),
                Origin::App,
                "use `jinja2` 3.1.6 or later, which `flask 3.0.0` brings in; `mayfly up --upgrade` takes the newest of what no file pins",
            ),
            (
                K::Vulnerability,
                None,
                Origin::App,
                "nobody has mended `jinja2` yet, which `flask 3.0.0` brings in; watch for a new version",
            ),
            (
                K::Vulnerability,
                Some("3.1.6"),
                Origin::Base,
                "run `mayfly up --upgrade` for a newer base; nothing else is yours to do",
            ),
            (
                K::Malicious,
                None,
                Origin::App,
                "remove `jinja2`, which `flask 3.0.0` brings in, and change every secret that this machine had",
            ),
        ] {
            let one = finding(&hit(kind, Rating::High, fixed), origin, &way);
            assert_eq!(one.next, next);
        }
    }

    #[test]
    fn a_finding_blocks_as_its_record_does() {
        use {AdvisoryKind as K, Rating as R};
        for (kind, rating, severity, blocks) in [
            (K::Vulnerability, R::High, Severity::High, true),
            (K::Vulnerability, R::Medium, Severity::Medium, false),
            (K::Vulnerability, R::Unknown, Severity::Medium, false),
            (K::Malicious, R::Unknown, Severity::Critical, true),
            (K::Notice, R::Critical, Severity::Critical, false),
        ] {
            let one = finding(&hit(kind, rating, Some("9")), Origin::App, &[]);
            assert_eq!(
                (one.severity, one.blocks),
                (severity, blocks),
                "{kind:?} {rating:?}"
            );
        }
    }
}

//! Asks whether packages may be installed, with the line of the app that wants each of them.

use model::failure::{Failure, FailureCode};
use model::finding::{
    Confidence, Finding, Fingerprint, Fix, FixKind, FixSafety, Gate, Place, Severity, stamp,
};
use model::inventory::Ecosystem;
use model::plan::Clue;
use model::progress::clean_line;
use ports::{Asked, Requested, Source};

use crate::recipe::kit::Order;

/// How much of a file is searched for the line that asks for a package.
const SEARCHED_BYTES: u64 = 1024 * 1024;
/// How much of a line is shown, in characters.
const LINE_LETTERS: usize = 200;

/// Asks about `packages`; before this, nothing of them is installed or run.
pub(super) async fn admit(order: &Order<'_>, packages: &[Requested]) -> Result<(), Failure> {
    match packages {
        [] => Ok(()),
        packages => order.gate.admit(packages).await,
    }
}

/// Where the app asks for the package `name`: the line of `file`, its list, or else of the code that
/// imports it.
pub(super) fn asked(
    order: &Order<'_>,
    file: &str,
    ecosystem: Ecosystem,
    name: &str,
) -> Option<Asked> {
    let listed = listed(order.source, file, ecosystem, name);
    match listed {
        Some(Asked { line: 1.., .. }) => listed,
        _ => imported(order, name).or(listed),
    }
}

/// What detection said about a package that code uses and no list has.
fn imported(order: &Order<'_>, name: &str) -> Option<Asked> {
    let says = |clue: &&Clue| clue.says.starts_with('`') && clue.says.contains("is installed");
    let means = |clue: &&Clue| {
        clue.says
            .split(|c: char| c.is_whitespace() || "`;,".contains(c))
            .any(|word| word == name || crate::detect::canonical(word) == name)
    };
    let clue = order.plan.warnings.iter().filter(says).find(means)?;
    Some(Asked {
        file: clue.file.clone(),
        line: clue.line.unwrap_or(0),
        text: format!("import of {name}"),
    })
}

fn listed(source: &Source, file: &str, ecosystem: Ecosystem, name: &str) -> Option<Asked> {
    let known = |entry: &model::snapshot::Entry| entry.path() == file;
    if !source.snapshot.entries.iter().any(known) {
        return None;
    }
    let text = head(&source.root.join(file))?;
    let asks = |line: &str| match ecosystem {
        Ecosystem::Npm => line.contains(&format!("\"{name}\"")),
        _ => names(line, name),
    };
    let found = (1..).zip(text.lines()).find(|(_, line)| asks(line));
    let (line, text) = found.map_or((0, ""), |(number, line)| (number, line.trim()));
    Some(Asked {
        file: file.to_owned(),
        line,
        text: clean_line(text).chars().take(LINE_LETTERS).collect(),
    })
}

fn head(path: &std::path::Path) -> Option<String> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(SEARCHED_BYTES).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a line of a Python list begins with this package, quoted or not.
fn names(line: &str, name: &str) -> bool {
    let line = line.trim_start_matches(|c: char| c.is_whitespace() || "\"'[".contains(c));
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let end = line.find(|c| !fits(c)).unwrap_or(line.len());
    crate::detect::canonical(&line[..end]) == name
}

/// An address as it may be shown: user names and passwords are left out.
pub(super) fn without_credentials(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{}", &rest[end..])
}

/// The failure of a build that asks for a package that its registry does not know.
pub(super) fn unknown(
    order: &Order<'_>,
    ecosystem: Ecosystem,
    name: &str,
    list: &str,
    near: Option<String>,
) -> Failure {
    let language = language(ecosystem);
    let asked = asked(order, list, ecosystem, name);
    let next = match &near {
        Some(near) => format!("write `{near}` in place of `{name}` in {list}"),
        None => format!("remove `{name}` from {list}, or correct its name"),
    };
    let mut findings = vec![finding(name, asked, near, &next)];
    findings[0].purl = Some(format!(
        "pkg:{}/{}",
        ecosystem.as_str(),
        name.replacen('@', "%40", 1)
    ));
    stamp(&mut findings);
    Failure::new(
        FailureCode::Dependency,
        format!("there is no {language} package called `{name}`"),
    )
    .hint(next)
    .with_findings(findings)
}

fn language(ecosystem: Ecosystem) -> &'static str {
    match ecosystem {
        Ecosystem::Npm => "Node",
        _ => "Python",
    }
}

fn finding(name: &str, asked: Option<Asked>, near: Option<String>, next: &str) -> Finding {
    let asked = asked.unwrap_or_else(|| Asked {
        file: String::new(),
        line: 0,
        text: String::new(),
    });
    let column = u32::from(asked.line > 0);
    let place = Place {
        line: asked.line,
        column,
    };
    let fix = match near {
        Some(near) => Fix {
            kind: FixKind::Replace,
            safety: FixSafety::Review,
            from: name.to_owned(),
            to: near,
            patch: None,
            file_digest: None,
        },
        None => Fix {
            kind: FixKind::Advice,
            safety: FixSafety::Review,
            from: String::new(),
            to: next.to_owned(),
            patch: None,
            file_digest: None,
        },
    };
    Finding {
        fingerprint: Fingerprint(String::new()),
        gate: Gate::Dependencies,
        rule_id: "unknown-package".to_owned(),
        severity: Severity::High,
        confidence: Confidence::High,
        blocks: true,
        cwe: Some(1357),
        file: asked.file,
        line: place.line,
        column: place.column,
        end: place,
        snippet: match asked.text.is_empty() {
            true => name.to_owned(),
            false => asked.text,
        },
        trace: vec![],
        why: "No package has this name. Somebody else could publish one under it, and the app would run whatever that person wrote.".to_owned(),
        fix: Some(fix),
        purl: None,
        path: vec![name.to_owned()],
        aliases: vec![],
        introduced_by_this_change: None,
        retryable: true,
        next: next.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_list_names_its_package_in_any_spelling() {
        for (line, found) in [
            ("Flask_Cors==4.0", true),
            ("  \"flask-cors>=4\",", true),
            ("flask-cors", true),
            ("flask", false),
            ("flask-cors-extra", false),
            ("# flask-cors", false),
        ] {
            assert_eq!(names(line, "flask-cors"), found, "{line}");
        }
    }
}

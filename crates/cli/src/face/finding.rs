//! A finding as people read it: where, what, why it matters, how to mend it, how to let it pass.

use model::AppName;
use model::finding::{Finding, FixKind, Severity};
use model::progress::clean_line;

use super::{Paint, Style};

/// One finding, in a few lines. Texts may quote what an app says, so control characters are taken
/// out.
pub(crate) fn shown(finding: &Finding, app: Option<&AppName>, style: Style) -> String {
    let (paint, verdict) = match (finding.blocks, finding.severity) {
        (true, _) => (Paint::Bad, "blocks"),
        (false, Severity::Info | Severity::Low) => (Paint::Dim, "note"),
        (false, _) => (Paint::Warn, "warning"),
    };
    let mut lines = vec![format!(
        "{}: {} {}",
        clean_line(&place(finding)),
        style.paint(paint, verdict),
        clean_line(&finding.rule_id)
    )];
    if let Some(first) = finding.snippet.lines().next() {
        let snippet = style.paint(Paint::Dim, clean_line(first));
        lines.push(format!("  | {snippet}"));
    }
    for step in &finding.trace {
        let text = format!("{}:{}: {}", step.file, step.line, step.what);
        lines.push(format!("  via {}", clean_line(&text)));
    }
    lines.push(format!("  {}", clean_line(&finding.why)));
    if let Some(advice) = advice(finding) {
        lines.push(format!("  mend: {}", clean_line(&advice)));
    }
    if finding.blocks {
        let exempt = exemption(&finding.fingerprint.0, app);
        lines.push(format!("  exempt: {}", style.paint(Paint::Dim, exempt)));
    }
    lines.join("\n")
}

/// How a finding is let pass for a while.
pub(crate) fn exemption(fingerprint: &str, app: Option<&AppName>) -> String {
    let app = app.map_or("APP", AppName::as_str);
    format!("mayfly exempt {fingerprint} --app {app} --until DATE --reason TEXT")
}

/// A file and a line, else the package.
fn place(finding: &Finding) -> String {
    match (finding.file.as_str(), finding.line) {
        ("", _) => finding.purl.clone().unwrap_or_default(),
        (file, 0) => file.to_owned(),
        (file, line) => format!("{file}:{line}"),
    }
}

fn advice(finding: &Finding) -> Option<String> {
    let advice = match &finding.fix {
        Some(fix) if fix.kind == FixKind::Replace => format!("`{}` → `{}`", fix.from, fix.to),
        Some(fix) if fix.kind == FixKind::Advice => fix.to.clone(),
        _ => finding.next.clone(),
    };
    (!advice.is_empty()).then_some(advice)
}

//! Vue and Svelte: a script and a template in one file.

use crate::ir::Module;
use crate::javascript::{self, Dialect};
use crate::scan::{FileScan, Raw};

/// Lowers the script of a component, with its places in the whole file, and notes where its template
/// shows HTML as it is.
pub(crate) fn lower(text: &str, scan: &mut FileScan) -> Option<Module> {
    scan.raws
        .extend(shown(text, "v-html=\"", '"', "vue-v-html"));
    scan.raws
        .extend(shown(text, "{@html ", '}', "svelte-html-tag"));
    match script_of(text) {
        Some(script) => javascript::lower(&script, Dialect::TypeScript),
        None => javascript::lower("", Dialect::TypeScript),
    }
}

/// Lowers the scripts in a page, with their places in the whole file; `None` where there are none.
pub(crate) fn inline_scripts(text: &str) -> Option<Module> {
    let script = script_of(text)?;
    javascript::lower(&script, Dialect::JavaScript)
}

/// The scripts of a file, with blanks for all else; `None` where there are none.
fn script_of(text: &str) -> Option<String> {
    let mut script = blank(text.len(), text);
    let mut found = false;
    let mut at = 0;
    while let Some(start) = text[at..].find("<script").map(|open| at + open) {
        let Some(body) = text[start..].find('>').map(|end| start + end + 1) else {
            break;
        };
        let Some(end) = text[body..].find("</script").map(|end| body + end) else {
            break;
        };
        // Other types hold data or templates.
        if is_javascript(&text[start..body]) && !text[body..end].trim().is_empty() {
            script.replace_range(body..end, &text[body..end]);
            found = true;
        }
        at = end;
    }
    found.then_some(script)
}

fn is_javascript(tag: &str) -> bool {
    !tag.contains("type=")
        || ["javascript", "module", "\"ts\""]
            .iter()
            .any(|kind| tag.contains(kind))
}

/// As many spaces as a text has bytes; its lines stay.
fn blank(length: usize, text: &str) -> String {
    let mut blank = String::with_capacity(length);
    for byte in text.bytes() {
        blank.push(if byte == b'\n' { '\n' } else { ' ' });
    }
    blank
}

fn shown(text: &str, open: &str, close: char, rule: &str) -> Vec<Raw> {
    let mut raws = Vec::new();
    for (at, _) in text.match_indices(open) {
        let start = at + open.len();
        let Some(end) = text[start..].find(close).map(|end| start + end) else {
            continue;
        };
        let expression = &text[start..end];
        let is_cleaned = crate::tables::is_cleaner(expression);
        let is_constant = expression.trim().starts_with(['\'', '`']) && !expression.contains("${");
        // A function of the component's own, which cleans.
        let is_called = expression.contains('(')
            && is_cleaned_computed(text, expression.split('(').next().unwrap_or_default());
        if !is_cleaned && !is_called && !is_constant && !is_cleaned_computed(text, expression) {
            raws.push(Raw::new(rule, at, end));
        }
    }
    raws
}

/// Whether the variable is computed by a cleaner elsewhere in the file: `safe = DOMPurify.sanitize(…)`.
fn is_cleaned_computed(text: &str, expression: &str) -> bool {
    let name = expression.trim();
    if name.is_empty()
        || !name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '$')
    {
        return false;
    }
    text.lines().any(|line| {
        let declares = line.contains(&format!("{name} ="))
            || line.contains(&format!("{name}("))
            || line.contains(&format!("{name}:"));
        declares && crate::tables::is_cleaner(line)
    })
}

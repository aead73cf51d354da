//! A route and its template, followed across files.

use crate::check::Scanned;
use crate::finding::{At, Maker};
use crate::taint::{Render, RenderedValue};

use model::finding::Confidence;

/// Adds a finding for each place where a template shows something without escaping: sure where the
/// value is input that some route passes to it.
pub(crate) fn add(maker: &mut Maker, scanned: &[Scanned], renders: &[Render], units: &[usize]) {
    for (file, one) in scanned.iter().enumerate() {
        for show in &one.scan.shows {
            let known = values(&one.listed.path, &show.root, renders, scanned);
            let tainted = known.iter().find_map(|value| value.ways.as_ref());
            let at = At {
                file,
                span: Some(show.span),
            };
            match tainted {
                Some(ways) => {
                    let trace = maker.trace(ways, units);
                    maker.add(&show.rule, at, Some(Confidence::High), trace);
                }
                // What comes from elsewhere may be what somebody wrote before.
                None if known.is_empty() || show.expression.contains(['.', '[']) => {
                    maker.add(&show.rule, at, Some(Confidence::Medium), vec![]);
                }
                None => {
                    maker.add(&show.rule, at, Some(Confidence::Low), vec![]);
                }
            }
        }
    }
}

/// The values that a template is given under a name, by it or by what includes it.
fn values<'r>(
    path: &str,
    root: &str,
    renders: &'r [Render],
    scanned: &[Scanned],
) -> Vec<&'r RenderedValue> {
    let _ = scanned;
    let of_template = renders
        .iter()
        .filter(|render| is_template(path, &render.template));
    of_template
        .flat_map(|render| render.values.iter().filter(|value| value.name == root))
        .collect()
}

/// Whether `path` is the file of a template that is called `name`.
fn is_template(path: &str, name: &str) -> bool {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let ends = |whole: &str, end: &str| {
        whole
            .strip_suffix(end)
            .is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    ends(path, name) || ends(stem, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_found_by_its_name_with_or_without_an_end() {
        for (path, name, expected) in [
            ("templates/a/b.html", "a/b.html", true),
            ("views/index.ejs", "index", true),
            ("views/index.ejs", "dex", false),
            ("templates/b.html", "a/b.html", false),
        ] {
            assert_eq!(is_template(path, name), expected, "{path} {name}");
        }
    }
}

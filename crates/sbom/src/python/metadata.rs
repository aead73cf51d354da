//! A distribution's metadata.
//!
//! Source: Python packaging, "Core metadata specifications" 2.4.

use super::classifier;
use super::requirement::{Requirement, requirement};
use crate::debian::control::paragraphs;
use crate::licence;
use crate::text::{cut, shown};

/// What an inventory takes from a METADATA or PKG-INFO file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) homepage: Option<String>,
    pub(crate) requires: Vec<Requirement>,
}

/// Requirements that one distribution may have.
const MOST: usize = 5_000;

/// Reads the head of a metadata file; its body is a description. None without name and version.
pub(crate) fn metadata(text: &str) -> Option<Metadata> {
    let head = paragraphs(text).next()?;
    let one_line = |field: &str| {
        let value = head.get(field)?.lines().next()?.trim();
        (!value.is_empty() && value != "UNKNOWN").then(|| shown(cut(value, 200)))
    };
    let project = head.all("Project-URL").find_map(|url| {
        let (label, url) = url.split_once(',')?;
        label
            .trim()
            .eq_ignore_ascii_case("homepage")
            .then(|| url.trim())
    });
    let requires = head.all("Requires-Dist").take(MOST);
    Some(Metadata {
        name: head.get("Name")?.to_owned(),
        version: head.get("Version")?.to_owned(),
        licence: licence_of(
            head.get("License-Expression"),
            head.get("License"),
            head.all("Classifier"),
        ),
        author: one_line("Maintainer").or_else(|| one_line("Author")),
        homepage: one_line("Home-page").or_else(|| project.map(|url| shown(cut(url, 200)))),
        requires: requires.filter_map(requirement).collect(),
    })
}

/// The expression, else the old field when it is one, else the only licence that classifiers name.
fn licence_of<'a>(
    expression: Option<&str>,
    field: Option<&str>,
    classifiers: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let stated = expression.and_then(licence::expression);
    stated
        .or_else(|| field.and_then(licence::expression))
        .or_else(|| classifier::licence(classifiers))
}

/// Reads an egg's `requires.txt`: requirements, and those of extras under `[extra:marker]`.
pub(crate) fn requires_txt(text: &str) -> Vec<Requirement> {
    let mut section = String::new();
    let mut all = Vec::new();
    for line in text.lines().map(str::trim).take(MOST) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            section = condition(name);
        } else if !line.is_empty() && !line.starts_with('#') {
            all.extend(requirement(&format!("{line}{section}")));
        }
    }
    all
}

fn condition(section: &str) -> String {
    let (extra, marker) = section.split_once(':').unwrap_or((section, ""));
    let extra = extra.replace('"', "");
    match (extra.as_str(), marker) {
        ("", "") => String::new(),
        ("", marker) => format!(" ; {marker}"),
        (extra, "") => format!(" ; extra == \"{extra}\""),
        (extra, marker) => format!(" ; ({marker}) and extra == \"{extra}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_come_from_the_expression_then_the_field_then_the_classifier() {
        let mit = "Classifier: License :: OSI Approved :: MIT License\n";
        for (fields, read) in [
            (
                "License-Expression: BSD-3-Clause\nLicense: x\n",
                Some("BSD-3-Clause"),
            ),
            ("License: Apache-2.0\n", Some("Apache-2.0")),
            ("License: The text\n        of a licence\n", Some("MIT")),
            ("", Some("MIT")),
            ("Classifier: License :: OSI Approved :: BSD License\n", None),
        ] {
            let text = format!("Name: a\nVersion: 1\n{fields}{mit}\nbody: here\n");
            assert_eq!(
                metadata(&text).expect("read").licence.as_deref(),
                read,
                "{fields}"
            );
        }
        assert_eq!(metadata("Name: a\n\nVersion: 1\n"), None);
    }

    #[test]
    fn an_eggs_sections_become_markers() {
        let text =
            "a>=1\n\n[tests]\nb\n\n[:python_version < \"3\"]\nc\n\n[x:os_name == \"nt\"]\nd\n";
        let all = requires_txt(text);
        let shown: Vec<_> = all
            .iter()
            .map(|one| (one.name.as_str(), one.marker.is_some()))
            .collect();
        assert_eq!(shown, [("a", false), ("b", true), ("c", true), ("d", true)]);
    }
}

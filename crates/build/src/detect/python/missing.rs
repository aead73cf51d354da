//! Packages that the code uses and no list names.

use std::collections::BTreeSet;

use model::plan::Clue;

use crate::detect::folder::{Folder, line_of};
use crate::detect::python::code::Script;
use crate::detect::python::names::{canonical, comes_with, package_of};
use crate::detect::python::requirements::Listed;
use crate::detect::python::stdlib::is_stdlib;

/// A package that is added to the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// The package, as a requirement.
    pub(super) package: String,
    /// Why it is added.
    pub(super) warning: Clue,
}

/// Words in code that need a package which is not imported there: the words, the module that must
/// be imported for them to mean this, and the package. Sources: the documentation of FastAPI,
/// Starlette, pydantic and pandas.
const HIDDEN: [(&str, &str, &str); 9] = [
    ("Form(", "fastapi", "python-multipart"),
    ("UploadFile", "fastapi", "python-multipart"),
    ("request.form(", "starlette", "python-multipart"),
    ("Jinja2Templates", "fastapi", "jinja2"),
    ("SessionMiddleware", "starlette", "itsdangerous"),
    ("EmailStr", "pydantic", "email-validator"),
    ("WebSocket", "fastapi", "websockets"),
    ("read_excel(", "pandas", "openpyxl"),
    ("to_excel(", "pandas", "openpyxl"),
];

/// Listed packages that bring what [`HIDDEN`] names under another name or as an extra.
const BRINGERS: [(&str, &str); 6] = [
    ("fastapi[standard", "python-multipart"),
    ("fastapi[standard", "jinja2"),
    ("fastapi[standard", "email-validator"),
    ("fastapi[standard", "websockets"),
    ("uvicorn[standard", "websockets"),
    ("pydantic[email", "email-validator"),
];

/// Finds what is missing, by package name. `needs` are the start command's own programs.
pub(super) fn find(
    folder: &Folder,
    scripts: &[Script],
    listed: &Listed,
    needs: &[&str],
) -> Vec<Missing> {
    let locals = local_modules(folder);
    let names = listed.names();
    let mut found = Search {
        folder,
        listed,
        seen: names.iter().cloned().collect(),
        names,
        missing: Vec::new(),
    };
    for script in scripts {
        for import in &script.imports {
            let top = import.top();
            if !is_stdlib(top) && !locals.contains(top) {
                let package = dotted_package(&import.module).unwrap_or_else(|| package_of(top));
                found.add(
                    &package,
                    &format!("`{top}` is imported"),
                    script,
                    import.line,
                );
            }
        }
        found.add_hidden(script);
    }
    for need in needs {
        found.add_program(need);
    }
    found.missing
}

struct Search<'a> {
    folder: &'a Folder,
    listed: &'a Listed,
    names: Vec<String>,
    seen: BTreeSet<String>,
    missing: Vec<Missing>,
}

impl Search<'_> {
    fn add(&mut self, package: &str, used: &str, script: &Script, line: u32) {
        let name = canonical(package);
        if self.seen.contains(&name) || comes_with(&name, &self.names) || self.is_in_lock() {
            return;
        }
        self.seen.insert(name.clone());
        self.names.push(name);
        let file = self.folder.name_of(&script.path);
        let says = match &self.listed.file {
            Some(list) => format!("{used}, but {list} does not list it; {package} is installed"),
            None => format!("{used}; {package} is installed"),
        };
        self.missing.push(Missing {
            package: package.to_owned(),
            warning: Clue {
                file,
                line: Some(line),
                says,
            },
        });
    }

    /// A uv.lock was made from an environment that worked: what it brings is not known here.
    fn is_in_lock(&self) -> bool {
        self.listed.uv_lock
    }

    fn add_hidden(&mut self, script: &Script) {
        for (words, module, package) in HIDDEN {
            let brought = BRINGERS.iter().any(|(list, brings)| {
                *brings == package && self.listed.lines.iter().any(|line| line.starts_with(list))
            });
            if brought || script.imports(module).is_none() {
                continue;
            }
            if let Some(at) = script.code.find(words) {
                let used = format!("`{}` is used", words.trim_end_matches('('));
                self.add(package, &used, script, line_of(&script.code, at));
            }
        }
    }

    fn add_program(&mut self, program: &str) {
        let name = canonical(program);
        if self.seen.insert(name) && !self.is_in_lock() {
            let file = self.listed.file.clone().unwrap_or_else(|| "the app".into());
            let says = format!("does not list {program}, which starts the app; it is installed");
            self.missing.push(Missing {
                package: program.to_owned(),
                warning: Clue {
                    file,
                    line: None,
                    says,
                },
            });
        }
    }
}

/// Packages that share a namespace and are told apart by the second part of a name.
fn dotted_package(module: &str) -> Option<String> {
    let google = [
        ("google.generativeai", "google-generativeai"),
        ("google.genai", "google-genai"),
        ("google.oauth2", "google-auth"),
        ("google.auth", "google-auth"),
        ("google.protobuf", "protobuf"),
        ("google.cloud.storage", "google-cloud-storage"),
        ("google.cloud.firestore", "google-cloud-firestore"),
        ("google.cloud.bigquery", "google-cloud-bigquery"),
        ("google_auth_oauthlib", "google-auth-oauthlib"),
    ];
    google
        .iter()
        .find(|(prefix, _)| module.starts_with(prefix))
        .map(|(_, package)| (*package).to_owned())
}

/// Every name that an import may mean in the folder itself: files, and folders with code in them.
fn local_modules(folder: &Folder) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in folder.files().filter(|path| path.ends_with(".py")) {
        let parts: Vec<&str> = path.trim_end_matches(".py").split('/').collect();
        names.extend(parts.into_iter().map(str::to_owned));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::python::{requirements, scripts};

    fn missing(files: &[(&str, &str)], needs: &[&str]) -> Vec<String> {
        let folder = Folder::from_files(files.iter().copied());
        let listed = requirements::read(&folder).expect("readable lists");
        find(&folder, &scripts(&folder), &listed, needs)
            .into_iter()
            .map(|missing| missing.package)
            .collect()
    }

    #[test]
    fn what_the_code_uses_and_no_list_names_is_added() {
        for (code, list, needs, expected) in [
            ("import os, requests", "flask", &[][..], vec!["requests"]),
            ("from PIL import Image", "pillow", &[], vec![]),
            ("from werkzeug.utils import x", "Flask", &[], vec![]),
            ("import yaml\nimport yaml", "", &[], vec!["PyYAML"]),
            ("import helper, pkg.mod", "", &[], vec![]),
            (
                "from fastapi import Form\nForm()",
                "fastapi",
                &["uvicorn"],
                vec!["python-multipart", "uvicorn"],
            ),
            (
                "from fastapi import Form\nForm()",
                "fastapi[standard]",
                &[],
                vec![],
            ),
            (
                "import google.generativeai as genai",
                "",
                &[],
                vec!["google-generativeai"],
            ),
        ] {
            let files = [
                ("app.py", code),
                ("helper.py", ""),
                ("pkg/mod.py", ""),
                ("requirements.txt", list),
            ];
            assert_eq!(missing(&files, needs), expected, "{code}");
        }
    }

    #[test]
    fn a_warning_names_the_import_and_the_list() {
        let folder = Folder::from_files([
            ("app.py", "\n\nimport requests"),
            ("requirements.txt", "flask"),
        ]);
        let listed = requirements::read(&folder).expect("readable lists");
        let found = find(&folder, &scripts(&folder), &listed, &[]);
        let warning = &found[0].warning;
        assert_eq!((warning.file.as_str(), warning.line), ("app.py", Some(3)));
        assert!(warning.says.contains("requirements.txt does not list it"));
    }
}

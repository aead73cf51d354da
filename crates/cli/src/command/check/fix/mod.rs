//! Mechanical fixes: what they would change, and changing it.

mod diff;
mod edit;

use std::collections::BTreeMap;
use std::io;

use model::Digest;
use model::finding::{Finding, FixKind, FixSafety, Gate};
use serde::Serialize;
use server::checks::Sources;

use crate::folder::Root;
use crate::folder::replace::Replaced;

use edit::Edit;

/// Which fixes are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Those after which the app does the same, but safely.
    Safe,
    /// Those too which somebody should look at.
    All,
}

/// The fixes of a check, file by file.
#[derive(Debug, Default)]
pub(super) struct Fixes {
    files: Vec<FileFixes>,
    left: Vec<Left>,
}

#[derive(Debug)]
struct FileFixes {
    path: String,
    text: String,
    edits: Vec<Edit>,
    /// Lines from 1 that hold credentials, which nobody is shown.
    hidden: Vec<(u32, u32)>,
}

/// A fix that was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Applied {
    pub(super) fingerprint: String,
    pub(super) rule_id: String,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) from: String,
    pub(super) to: String,
}

/// A fix that was not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Left {
    pub(super) fingerprint: String,
    pub(super) rule_id: String,
    pub(super) file: String,
    pub(super) line: u32,
    pub(super) why: String,
}

/// What was fixed, and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Outcome {
    pub(super) fixed: Vec<Applied>,
    pub(super) left: Vec<Left>,
}

impl Fixes {
    /// Those of `findings` that are mechanical and `wanted`.
    pub(super) fn of(findings: &[Finding], wanted: Wanted, sources: &dyn Sources) -> Self {
        let mut by_file: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            if finding
                .fix
                .as_ref()
                .is_some_and(|fix| fix.kind == FixKind::Replace)
            {
                by_file.entry(&finding.file).or_default().push(finding);
            }
        }
        let mut fixes = Self::default();
        for (path, of_file) in by_file {
            fixes.add_file(path, &of_file, wanted, sources);
        }
        for file in &mut fixes.files {
            let secrets = findings
                .iter()
                .filter(|finding| finding.gate == Gate::Secrets && finding.file == file.path);
            file.hidden = secrets
                .map(|one| (one.line, one.end.line.max(one.line)))
                .collect();
        }
        fixes
    }

    fn add_file(
        &mut self,
        path: &str,
        findings: &[&Finding],
        wanted: Wanted,
        sources: &dyn Sources,
    ) {
        let text = sources
            .read(path)
            .ok()
            .map(String::from_utf8)
            .and_then(Result::ok);
        let text = text.unwrap_or_default();
        let digest = Digest::of(text.as_bytes());
        let mut edits: Vec<Edit> = Vec::new();
        for finding in findings {
            let Some(fix) = &finding.fix else {
                continue;
            };
            let is_wanted = fix.safety == FixSafety::Safe || wanted == Wanted::All;
            let edit = Edit::of(&text, finding, fix);
            match (edit, is_wanted) {
                (_, false) => {
                    self.leave(
                        finding,
                        "somebody should look first; `--unsafe-fixes` applies it",
                    );
                }
                _ if fix.file_digest != Some(digest) => {
                    self.leave(finding, "the file is no longer what was looked at");
                }
                (None, _) => self.leave(finding, "its place is not clear"),
                (Some(edit), _) if edits.iter().any(|other| other.meets(&edit)) => {
                    self.leave(
                        finding,
                        "it meets another fix; run `mayfly check --fix` again",
                    );
                }
                (Some(edit), _) => edits.push(edit),
            }
        }
        if !edits.is_empty() {
            edits.sort_by_key(|edit| edit.start);
            self.files.push(FileFixes {
                path: path.to_owned(),
                text,
                edits,
                hidden: vec![],
            });
        }
    }

    fn leave(&mut self, finding: &Finding, why: &str) {
        self.left.push(Left {
            fingerprint: finding.fingerprint.0.clone(),
            rule_id: finding.rule_id.clone(),
            file: finding.file.clone(),
            line: finding.line,
            why: why.to_owned(),
        });
    }

    /// All of them as a unified diff. A file whose changed lines hold credentials is not shown.
    pub(super) fn diff(&self) -> String {
        let diffs = self.files.iter();
        diffs
            .map(|file| diff::unified(&file.path, &file.text, &file.edits, &file.hidden))
            .collect()
    }

    /// Applies them to the files of a folder, each file in one step.
    pub(super) fn apply(mut self, root: &Root) -> Outcome {
        let mut fixed = Vec::new();
        for file in std::mem::take(&mut self.files) {
            match file.replace(root) {
                Ok(Replaced::Yes) => fixed.extend(file.edits.into_iter().map(|edit| edit.about)),
                Ok(Replaced::ItChanged) => {
                    self.leave_all(file.edits, "the file is no longer what was looked at");
                }
                Err(cause) => {
                    self.leave_all(file.edits, &format!("the file cannot be written: {cause}"));
                }
            }
        }
        Outcome {
            fixed,
            left: self.left,
        }
    }

    fn leave_all(&mut self, edits: Vec<Edit>, why: &str) {
        self.left.extend(edits.into_iter().map(|edit| Left {
            fingerprint: edit.about.fingerprint,
            rule_id: edit.about.rule_id,
            file: edit.about.file,
            line: edit.about.line,
            why: why.to_owned(),
        }));
    }
}

impl FileFixes {
    fn replace(&self, root: &Root) -> io::Result<Replaced> {
        let mended = edit::apply(&self.text, &self.edits);
        let expected = Digest::of(self.text.as_bytes());
        root.replace(&self.path, expected, mended.as_bytes())
    }
}

impl Outcome {
    /// Adds what a later round did.
    pub(super) fn go_on(&mut self, later: Self) {
        self.fixed.extend(later.fixed);
        self.left = later.left;
    }

    /// What was fixed and what is left, in lines.
    pub(super) fn text(&self) -> String {
        let fixed = self.fixed.iter().map(|one| {
            let Applied {
                file,
                line,
                rule_id,
                from,
                to,
                ..
            } = one;
            format!("fixed {file}:{line} {rule_id}: `{from}` → `{to}`")
        });
        let left = self.left.iter().map(|one| {
            let Left {
                file,
                line,
                rule_id,
                why,
                ..
            } = one;
            format!("left {file}:{line} {rule_id}: {why}")
        });
        let lines: Vec<String> = fixed.chain(left).collect();
        match lines.is_empty() {
            true => "nothing to fix mechanically".to_owned(),
            false => lines.join("\n"),
        }
    }
}

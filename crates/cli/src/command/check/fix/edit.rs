//! One fix as a change of a text.

use model::finding::{Finding, Fix};

use super::Applied;

/// A replacement of a part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edit {
    /// In bytes.
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) about: Applied,
}

impl Edit {
    /// Finds the place of a fix in its text; none when there is none, or more than one.
    pub(super) fn of(text: &str, finding: &Finding, fix: &Fix) -> Option<Self> {
        let patch = fix.patch.as_deref().and_then(Hunk::of);
        let (first, last) = match &patch {
            Some(hunk) => (hunk.first, hunk.last),
            None => (finding.line, finding.end.line.max(finding.line)),
        };
        let (from, to) = lines(text, first, last)?;
        let region = &text[from..to];
        let fits = |at: &usize| {
            let after = [&region[..*at], &fix.to, &region[at + fix.from.len()..]].concat();
            patch.as_ref().is_none_or(|hunk| hunk.makes(&after))
        };
        let places = region.match_indices(fix.from.as_str()).map(|(at, _)| at);
        let mut places = places.filter(fits);
        let place = places.next().filter(|_| !fix.from.is_empty())?;
        // With a patch all places that fit make the same text.
        if patch.is_none() && places.next().is_some() {
            return None;
        }
        Some(Self {
            start: from + place,
            end: from + place + fix.from.len(),
            about: Applied {
                fingerprint: finding.fingerprint.0.clone(),
                rule_id: finding.rule_id.clone(),
                file: finding.file.clone(),
                line: finding.line,
                from: fix.from.clone(),
                to: fix.to.clone(),
            },
        })
    }

    /// Whether both cannot be made.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

/// Makes edits that are in order and do not meet.
pub(super) fn apply(text: &str, edits: &[Edit]) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        mended.push_str(&text[at..edit.start]);
        mended.push_str(&edit.about.to);
        at = edit.end;
    }
    mended.push_str(&text[at..]);
    mended
}

/// Where the lines `first` to `last`, from 1, lie in a text.
fn lines(text: &str, first: u32, last: u32) -> Option<(usize, usize)> {
    let first = first.checked_sub(1)? as usize;
    let breaks = || text.match_indices('\n').map(|(at, _)| at);
    let start = match first {
        0 => 0,
        before => breaks().nth(before - 1)? + 1,
    };
    let end = breaks().nth(last as usize - 1).unwrap_or(text.len());
    (start <= end).then_some((start, end))
}

/// The hunk of a patch that has one.
struct Hunk {
    first: u32,
    last: u32,
    after: Vec<String>,
}

impl Hunk {
    fn of(patch: &str) -> Option<Self> {
        let mut lines = patch.lines().skip_while(|line| !line.starts_with("@@ "));
        let place = lines.next()?.strip_prefix("@@ -")?.split(' ').next()?;
        let (first, count) = place.split_once(',').unwrap_or((place, "1"));
        let (first, count): (u32, u32) = (first.parse().ok()?, count.parse().ok()?);
        let after = lines.filter_map(|line| line.strip_prefix('+'));
        Some(Self {
            first,
            last: first + count.checked_sub(1)?,
            after: after.map(bare).collect(),
        })
    }

    fn makes(&self, text: &str) -> bool {
        text.lines().map(bare).eq(self.after.iter().cloned())
    }
}

fn bare(line: &str) -> String {
    line.trim_end_matches('\r').to_owned()
}

//! What is found, held against what is known.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

/// A fault is where it is said to be within as many lines.
const LINES: u32 = 3;

/// A fault that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    file: String,
    cwe: u32,
    line: u32,
}

/// Something that a tool says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Relative to the folder that was looked at.
    pub file: String,
    /// The weakness, where the tool names one.
    pub cwe: u32,
    /// From 1.
    pub line: u32,
    /// Whether the tool itself is at least half sure of something at least half bad.
    pub is_loud: bool,
}

impl Found {
    /// Whether it asks somebody to act.
    pub fn is_loud(&self) -> bool {
        self.is_loud
    }

    fn is(&self, fault: &Fault) -> bool {
        self.file == fault.file && self.cwe == fault.cwe && self.line.abs_diff(fault.line) <= LINES
    }
}

/// Reads a table of faults: a file, a weakness, a line.
pub fn faults(text: &str) -> Result<Vec<Fault>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let fault = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [file, cwe, line] = words[..] else {
            return None;
        };
        Some(Fault {
            file: file.to_owned(),
            cwe: cwe.parse().ok()?,
            line: line.parse().ok()?,
        })
    };
    lines
        .map(|line| fault(line).with_context(|| format!("`{line}` is no fault")))
        .collect()
}

/// How well a tool has done.
#[derive(Debug, Default)]
pub struct Score {
    met: Vec<Fault>,
    missed: Vec<Fault>,
    right: usize,
    wrong: Vec<Found>,
}

impl Score {
    /// Of what was found where these faults are.
    pub fn of(faults: &[Fault], found: &[Found]) -> Self {
        let is_met = |fault: &&Fault| found.iter().any(|one| one.is(fault));
        let (met, missed): (Vec<&Fault>, Vec<&Fault>) = faults.iter().partition(is_met);
        let is_right = |one: &&Found| faults.iter().any(|fault| one.is(fault));
        let (right, wrong): (Vec<&Found>, Vec<&Found>) = found.iter().partition(is_right);
        Self {
            met: met.into_iter().cloned().collect(),
            missed: missed.into_iter().cloned().collect(),
            right: right.len(),
            wrong: wrong.into_iter().cloned().collect(),
        }
    }

    /// Adds another set's.
    pub fn add(&mut self, other: Self) {
        self.met.extend(other.met);
        self.missed.extend(other.missed);
        self.right += other.right;
        self.wrong.extend(other.wrong);
    }

    /// Which share of the faults was found.
    pub fn recall(&self) -> String {
        share(self.met.len(), self.met.len() + self.missed.len())
    }

    /// Which share of what was found is a fault.
    pub fn precision(&self) -> String {
        share(self.right, self.right + self.wrong.len())
    }

    /// For each weakness, how many of its faults were found, and of how many.
    pub fn by_weakness(&self) -> BTreeMap<u32, (usize, usize)> {
        let mut all: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        for fault in &self.met {
            let (found, of) = all.entry(fault.cwe).or_default();
            (*found, *of) = (*found + 1, *of + 1);
        }
        for fault in &self.missed {
            all.entry(fault.cwe).or_default().1 += 1;
        }
        all
    }

    /// Lists what was missed, and what was wrong.
    pub fn print(&self, tool: &str, set: &str) {
        for fault in &self.missed {
            println!(
                "- {tool}, {set}: missed {}:{} CWE-{}",
                fault.file, fault.line, fault.cwe
            );
        }
        for one in &self.wrong {
            println!(
                "- {tool}, {set}: wrong {}:{} CWE-{}",
                one.file, one.line, one.cwe
            );
        }
    }
}

fn share(part: usize, whole: usize) -> String {
    match whole {
        0 => "none".to_owned(),
        whole => format!("{:.3} ({part}/{whole})", part as f64 / whole as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(file: &str, cwe: u32, line: u32) -> Found {
        let file = file.to_owned();
        Found {
            file,
            cwe,
            line,
            is_loud: true,
        }
    }

    #[test]
    fn a_fault_is_met_in_its_file_by_its_weakness_near_its_line() {
        let faults = faults("# file, CWE, line\nbad/a.py 89 10\nbad/b.py 79 3\n").expect("two");
        let score = Score::of(
            &faults,
            &[
                found("bad/a.py", 89, 13),
                found("bad/a.py", 89, 14),
                found("bad/b.py", 22, 3),
            ],
        );
        assert_eq!(score.recall(), "0.500 (1/2)");
        assert_eq!(score.precision(), "0.333 (1/3)");
        assert_eq!(
            score.by_weakness(),
            BTreeMap::from([(79, (0, 1)), (89, (1, 1))])
        );
    }

    #[test]
    fn a_table_with_a_broken_line_is_none() {
        assert!(faults("bad/a.py 89\n").is_err());
        assert!(faults("bad/a.py 89 x\n").is_err());
    }
}

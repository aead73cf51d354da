//! Dockerfiles.

use super::{downloads_and_runs, lines, of_line};
use crate::scan::Raw;

/// What is wrong in a Dockerfile.
pub(super) fn scan(text: &str) -> Vec<Raw> {
    let mut raws = Vec::new();
    let mut last_from = None;
    let mut user: Option<&str> = None;
    let mut stages: Vec<&str> = Vec::new();
    for (start, line) in lines(text) {
        let mut words = line.split_whitespace();
        match words.next().map(str::to_ascii_uppercase).as_deref() {
            Some("FROM") => {
                let image = words
                    .find(|word| !word.starts_with("--"))
                    .unwrap_or_default();
                if is_floating(image) && !stages.contains(&image) {
                    raws.push(of_line("config-image-latest", start, line));
                }
                stages.extend(words.nth(1));
                last_from = Some((start, line));
                user = None;
            }
            Some("USER") => user = words.next(),
            Some("ADD") if words.clone().any(|word| word.starts_with("http")) => {
                raws.push(of_line("config-image-adds-url", start, line));
            }
            Some("RUN") if downloads_and_runs(line) => {
                raws.push(of_line("config-image-runs-download", start, line));
            }
            _ => {}
        }
    }
    let is_root = user.is_none_or(|user| user == "root" || user == "0" || user.starts_with("0:"));
    if let Some((start, line)) = last_from.filter(|_| is_root) {
        raws.push(of_line("config-image-root", start, line));
    }
    raws
}

/// Whether an image's name says something else tomorrow.
fn is_floating(image: &str) -> bool {
    let name = image.rsplit('/').next().unwrap_or_default();
    let is_variable = image.contains('$') || image == "scratch" || image.is_empty();
    !is_variable && !image.contains('@') && (!name.contains(':') || name.ends_with(":latest"))
}

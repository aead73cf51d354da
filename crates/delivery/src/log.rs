//! Reads what instances printed.

use std::io::{self, SeekFrom};
use std::path::Path;

use api::types::LogLine;
use model::instance::InstanceId;
use model::progress::{Stream, clean_line};
use model::{ReleaseNumber, Timestamp};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use crate::Delivery;

/// How much of the end of a log is looked at for its last lines.
const TAIL_BYTES: u64 = 1024 * 1024;

/// Reads one line of a log file: `<RFC 3339 time> <o|e> <text>`.
pub fn parse(line: &str, release: ReleaseNumber) -> Option<LogLine> {
    let (at, rest) = line.split_once(' ')?;
    let (stream, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let stream = match stream {
        "o" => Stream::Stdout,
        "e" => Stream::Stderr,
        _ => return None,
    };
    Some(LogLine {
        at: at.parse::<Timestamp>().ok()?,
        release,
        stream,
        line: clean_line(text),
    })
}

impl Delivery {
    /// The last lines that an instance printed, at most `lines`.
    pub async fn last_lines(&self, id: &InstanceId, lines: usize) -> Vec<LogLine> {
        let files = self.ports.runtime.logs(id).await.unwrap_or_default();
        let mut found = Vec::new();
        for file in files.iter().rev() {
            let text = tail(file).await.unwrap_or_default();
            let mut older: Vec<_> = text
                .lines()
                .filter_map(|line| parse(line, id.release.number))
                .collect();
            older.append(&mut found);
            found = older;
            if found.len() >= lines {
                break;
            }
        }
        found.split_off(found.len().saturating_sub(lines))
    }

    /// The same, as plain text for people.
    pub(crate) async fn last_words(&self, id: &InstanceId, lines: usize) -> Vec<String> {
        self.last_lines(id, lines)
            .await
            .into_iter()
            .map(|line| line.line)
            .collect()
    }
}

async fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path).await?;
    let size = file.metadata().await?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL_BYTES)))
        .await?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_log_file_has_a_time_a_stream_and_clean_text() {
        for (line, text) in [
            ("2026-01-02T03:04:05Z o hello", Some("hello")),
            ("2026-01-02T03:04:05.123Z e \u{1b}[31mred", Some("red")),
            ("2026-01-02T03:04:05Z o", Some("")),
            ("2026-01-02T03:04:05Z x hello", None),
            ("yesterday o hello", None),
            ("", None),
        ] {
            let got = parse(line, ReleaseNumber::FIRST).map(|line| line.line);
            assert_eq!(got.as_deref(), text, "{line:?}");
        }
    }
}

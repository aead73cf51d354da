//! Reads what instances printed.

use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};

use api::types::LogLine;
use model::instance::InstanceId;
use model::progress::{Stream, clean_line};
use model::{AppName, Failure, ReleaseNumber, Timestamp};
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

/// Follows the log of whichever instance serves an app, over restarts and releases.
pub struct Follower {
    instance: InstanceId,
    file: Option<(PathBuf, u64)>,
    rest: Vec<u8>,
}

impl Delivery {
    /// Starts to follow at the end of what was printed so far.
    pub async fn follow(&self, instance: InstanceId) -> Follower {
        let file = match self
            .ports
            .runtime
            .logs(&instance)
            .await
            .unwrap_or_default()
            .pop()
        {
            Some(path) => tokio::fs::metadata(&path)
                .await
                .ok()
                .map(|metadata| (path, metadata.len())),
            None => None,
        };
        Follower {
            instance,
            file,
            rest: Vec::new(),
        }
    }

    /// The lines that were printed since the last call.
    pub async fn new_lines(
        &self,
        follower: &mut Follower,
        serving: Option<InstanceId>,
    ) -> Vec<LogLine> {
        let lines = follower.read().await;
        if let Some(next) = serving.filter(|next| *next != follower.instance) {
            *follower = Follower {
                instance: next,
                file: None,
                rest: Vec::new(),
            };
        }
        if follower.file.is_none() {
            let newest = self
                .ports
                .runtime
                .logs(&follower.instance)
                .await
                .unwrap_or_default()
                .pop();
            follower.file = newest.map(|path| (path, 0));
        }
        lines
    }

    /// The instance whose log people mean: of one release, or of the one that serves.
    pub async fn log_instance(
        &self,
        app: &AppName,
        release: Option<ReleaseNumber>,
    ) -> Result<Option<InstanceId>, Failure> {
        let app = self.known_app(app).await?;
        let Some(number) = release.or(app.stable) else {
            return Ok(None);
        };
        let all = self
            .ports
            .runtime
            .list()
            .await
            .map_err(|error| Failure::of(&error))?;
        let of_release =
            |id: &InstanceId| id.release.app == app.name && id.release.number == number;
        Ok(all
            .into_iter()
            .filter(of_release)
            .max_by_key(|id| id.serial))
    }
}

impl Follower {
    /// Reads on. A file that became shorter was rotated: it is read from its beginning.
    async fn read(&mut self) -> Vec<LogLine> {
        let Some((path, position)) = &mut self.file else {
            return Vec::new();
        };
        let (bytes, now) = read_from(path, *position).await.unwrap_or_default();
        *position = now;
        self.rest.extend_from_slice(&bytes);
        let whole = self
            .rest
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let text: Vec<u8> = self.rest.drain(..whole).collect();
        let text = String::from_utf8_lossy(&text);
        text.lines()
            .filter_map(|line| parse(line, self.instance.release.number))
            .collect()
    }
}

/// What a file has after `position`, at most [`TAIL_BYTES`], and the position after it.
async fn read_from(path: &Path, position: u64) -> io::Result<(Vec<u8>, u64)> {
    let mut file = File::open(path).await?;
    let size = file.metadata().await?.len();
    let start = if size < position { 0 } else { position };
    file.seek(SeekFrom::Start(start)).await?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes).await?;
    let now = start + bytes.len() as u64;
    Ok((bytes, now))
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

//! What a supervisor tells who started it: one JSON object a line, over a socket.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;

use model::instance::{DeniedEgress, Exit};
use model::progress::Stream;
use serde::{Deserialize, Serialize};

/// One message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub(crate) enum Event {
    /// The command runs.
    Started,
    /// A command before it ended badly.
    Before {
        command: String,
        exit: Exit,
        lines: Vec<String>,
    },
    /// The machine refuses something; the system's error number.
    Refused { what: String, errno: i32 },
    /// The sandbox could not be made, or the command not be run.
    Failed { why: String },
    /// A job printed a line.
    Line { stream: Stream, text: String },
    /// A job ended.
    Ended { end: End, denied: Vec<DeniedEgress> },
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    Exit(Exit),
    TimedOut,
    DiskLimit,
}

/// Sends one message.
pub(crate) fn send(mut to: &UnixStream, event: &Event) -> io::Result<()> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    to.write_all(&line)
}

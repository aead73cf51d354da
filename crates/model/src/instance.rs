//! A running copy of a release.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::release::ReleaseKey;

/// Names one sandbox: `shop.r3.1` is the first start of release 3 of `shop`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceId {
    /// The release that it runs.
    pub release: ReleaseKey,
    /// Counts the starts of that release, from 1.
    pub serial: u32,
}

/// A text that names no instance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no instance")]
pub struct InstanceIdError(String);

impl FromStr for InstanceId {
    type Err = InstanceIdError;

    fn from_str(text: &str) -> Result<Self, InstanceIdError> {
        let bad = || InstanceIdError(text.to_owned());
        let (release, serial) = text.rsplit_once('.').ok_or_else(bad)?;
        let release = release.parse().map_err(|_| bad())?;
        Ok(Self {
            release,
            serial: serial.parse().map_err(|_| bad())?,
        })
    }
}

impl TryFrom<String> for InstanceId {
    type Error = InstanceIdError;

    fn try_from(text: String) -> Result<Self, InstanceIdError> {
        text.parse()
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.release, self.serial)
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how")]
pub enum Exit {
    /// By itself.
    Code {
        /// The exit status, 0–255.
        code: i32,
    },
    /// By a signal.
    Signal {
        /// The signal's number.
        signal: i32,
    },
    /// The kernel killed it, or a worker of it, for its memory.
    OutOfMemory,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { code } => write!(f, "exited with status {code}"),
            Self::Signal { signal } => write!(f, "was killed by signal {signal}"),
            Self::OutOfMemory => write!(f, "ran out of memory"),
        }
    }
}

/// What an instance does now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum InstanceState {
    /// Its processes run.
    Running {
        /// Since when.
        since: Timestamp,
        /// A worker was killed for its memory while the app lived on.
        oom_kills: u64,
    },
    /// Its processes are frozen.
    Frozen {
        /// When it was started.
        since: Timestamp,
    },
    /// Its first process has ended.
    Exited {
        /// How.
        exit: Exit,
        /// When.
        at: Timestamp,
        /// How long it had run, in milliseconds.
        uptime_millis: u64,
    },
}

/// A host that an app asked its egress proxy for and did not get.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeniedEgress {
    /// As asked for, a name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_id_reads_back_as_written() {
        for text in ["shop.r3.1", "my-shop.r12.40"] {
            assert_eq!(text.parse::<InstanceId>().expect(text).to_string(), text);
        }
        for bad in ["", "shop", "shop.3.1", "shop.r3", "shop.r3.x", "../x.r1.1"] {
            assert!(bad.parse::<InstanceId>().is_err(), "{bad}");
        }
    }
}

//! Why a sandbox could not be made.

use std::error::Error;
use std::io;

use serde::{Deserialize, Serialize};

use crate::events::Event;

/// What the maker or the supervisor ran into.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Trouble {
    /// The machine refuses something, or its disk is full; the system's error number.
    Refused { what: String, errno: i32 },
    /// Anything else.
    Failed(String),
}

impl Trouble {
    /// Something went wrong while `what` was done.
    pub(super) fn at(what: &str) -> impl FnOnce(io::Error) -> Self + '_ {
        move |cause| match cause.raw_os_error() {
            Some(
                errno @ (libc::EPERM | libc::EACCES | libc::ENOSYS | libc::ENOSPC | libc::EDQUOT),
            ) => Self::Refused {
                what: what.to_owned(),
                errno,
            },
            _ => Self::Failed(format!("{what}: {cause}")),
        }
    }

    /// An error with all its causes.
    pub(super) fn chain(what: &str, error: &dyn Error) -> Self {
        let mut text = format!("{what}: {error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            let part = error.to_string();
            // Transparent errors repeat their cause.
            if !text.ends_with(&part) {
                text = format!("{text}: {part}");
            }
            cause = error.source();
        }
        Self::Failed(text)
    }

    pub(super) fn into_event(self) -> Event {
        match self {
            Self::Refused { what, errno } => Event::Refused { what, errno },
            Self::Failed(why) => Event::Failed { why },
        }
    }
}

//! What the first process of a sandbox reports. Shared with `init/`, which has no standard library.

/// What the first process reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// It is in place, with its filter on, and waits for the supervisor's word.
    Ready,
    /// A command before the main one ended badly: its place in the list, its wait status.
    Before { index: u32, status: i32 },
    /// A command could not be run: its place in the list (the main one is last), the error number.
    Unrunnable { index: u32, errno: i32 },
    /// The main command runs.
    Started,
    /// The main command ended with this wait status.
    Ended { status: i32 },
}

#[allow(dead_code, reason = "each side needs one half")]
impl Report {
    /// As it travels.
    pub(crate) fn encode(self) -> [u8; 9] {
        let (tag, index, value) = match self {
            Self::Ready => (0, 0, 0),
            Self::Before { index, status } => (1, index, status),
            Self::Unrunnable { index, errno } => (2, index, errno),
            Self::Started => (3, 0, 0),
            Self::Ended { status } => (4, 0, status),
        };
        let mut message = [tag; 9];
        message[1..5].copy_from_slice(&u32::to_ne_bytes(index));
        message[5..9].copy_from_slice(&i32::to_ne_bytes(value));
        message
    }

    /// `None` for bytes that no report has.
    pub(crate) fn decode(message: &[u8]) -> Option<Self> {
        let [tag, rest @ ..] = message else {
            return None;
        };
        let index = u32::from_ne_bytes(rest.get(..4)?.try_into().ok()?);
        let value = i32::from_ne_bytes(rest.get(4..8)?.try_into().ok()?);
        Some(match tag {
            0 => Self::Ready,
            1 => Self::Before {
                index,
                status: value,
            },
            2 => Self::Unrunnable {
                index,
                errno: value,
            },
            3 => Self::Started,
            4 => Self::Ended { status: value },
            _ => return None,
        })
    }
}

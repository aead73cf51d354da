//! What an app is and what it may be called.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::release::ReleaseNumber;

/// The longest name an app may have, in bytes.
///
/// A DNS label holds 63 (RFC 1035, 2.3.4); a release's own host puts `r<number>-` before the name.
pub const MAX_NAME_BYTES: usize = 48;

/// An app's name: a DNS label, lower case, that no release's own host can be mistaken for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AppName(String);

/// Why a text is not an app's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppNameError {
    /// Nothing is left of it.
    #[error("an app's name cannot be empty")]
    Empty,
    /// It does not fit beside a release's number in a DNS label.
    #[error("`{0}` is longer than {MAX_NAME_BYTES} letters")]
    TooLong(String),
    /// It has a letter that a host name cannot have.
    #[error("`{0}` may hold only a-z, 0-9 and `-`, and begins and ends with a letter or digit")]
    BadLetters(String),
    /// `r3-shop` is the address of release 3 of `shop`.
    #[error("`{0}` looks like the address of a single release")]
    LooksLikeRelease(String),
}

impl AppName {
    /// Makes the nearest name from a folder's name: `My Shop!` becomes `my-shop`.
    ///
    /// Returns `None` when no letter or digit is left.
    pub fn from_folder(folder: &str) -> Option<Self> {
        let mut name = String::new();
        for letter in folder.chars() {
            match letter.to_ascii_lowercase() {
                kept @ ('a'..='z' | '0'..='9') => name.push(kept),
                _ if name.is_empty() || name.ends_with('-') => {}
                _ => name.push('-'),
            }
        }
        name.truncate(MAX_NAME_BYTES);
        let name = name.trim_end_matches('-');
        let name = match looks_like_release(name) {
            true => format!("app-{name}").chars().take(MAX_NAME_BYTES).collect(),
            false => name.to_owned(),
        };
        name.parse().ok()
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `name` reads as `r<digits>-…`, the host of one release.
fn looks_like_release(name: &str) -> bool {
    name.strip_prefix('r')
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(number, _)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

impl FromStr for AppName {
    type Err = AppNameError;

    fn from_str(name: &str) -> Result<Self, AppNameError> {
        let fits = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        if name.is_empty() {
            return Err(AppNameError::Empty);
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(AppNameError::TooLong(name.to_owned()));
        }
        if !name.bytes().all(fits) || name.starts_with('-') || name.ends_with('-') {
            return Err(AppNameError::BadLetters(name.to_owned()));
        }
        if looks_like_release(name) {
            return Err(AppNameError::LooksLikeRelease(name.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }
}

impl TryFrom<String> for AppName {
    type Error = AppNameError;

    fn try_from(name: String) -> Result<Self, AppNameError> {
        name.parse()
    }
}

impl From<AppName> for String {
    fn from(name: AppName) -> Self {
        name.0
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who an app belongs to: the user that first brought it up, as the kernel named them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// The user id of the caller on the socket.
    pub uid: u32,
}

/// A short-lived service with an owner and a folder that it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its name, and the first label of its address.
    pub name: AppName,
    /// Who brought it up first.
    pub owner: Owner,
    /// The folder it comes from, as its creator's machine names it. Another folder may not take
    /// the name unless asked to.
    pub folder: PathBuf,
    /// The loopback port of its own, for programs that do not resolve `*.localhost`.
    pub local_port: u16,
    /// Which range of user ids its sandboxes use; no other app has the same one.
    pub uid_slot: u32,
    /// When it was first brought up.
    pub created_at: Timestamp,
    /// The release that serves now, when there is one.
    pub stable: Option<ReleaseNumber>,
    /// When it was destroyed; it can be restored until it is removed for good.
    pub destroyed_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_dns_label_that_no_release_host_can_be() {
        let long = "a".repeat(MAX_NAME_BYTES + 1);
        for (text, valid) in [
            ("shop", true),
            ("my-shop-2", true),
            ("r2d2", true),
            ("r-shop", true),
            ("0", true),
            ("r3-shop", false),
            ("", false),
            ("-shop", false),
            ("shop-", false),
            ("Shop", false),
            ("my.shop", false),
            ("../etc", false),
            ("café", false),
            (long.as_str(), false),
        ] {
            assert_eq!(text.parse::<AppName>().is_ok(), valid, "{text:?}");
        }
    }

    #[test]
    fn a_folder_suggests_the_nearest_name() {
        for (folder, name) in [
            ("My Shop!", Some("my-shop")),
            ("expense_splitter", Some("expense-splitter")),
            ("r3-shop", Some("app-r3-shop")),
            ("café", Some("caf")),
            ("---", None),
            ("日本", None),
        ] {
            let got = AppName::from_folder(folder);
            assert_eq!(got.as_ref().map(AppName::as_str), name, "{folder:?}");
        }
    }
}

//! A release: an image, its configuration and its secrets, numbered and immutable.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::app::{AppName, Owner};
use crate::digest::Digest;
use crate::image::Image;
use crate::rollout::Phase;
use crate::run::RunId;
use crate::serving::RunConfig;

/// Counts an app's releases, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseNumber(u32);

impl ReleaseNumber {
    /// The first release of an app.
    pub const FIRST: Self = Self(1);

    /// Takes a number; 0 becomes 1.
    pub fn new(number: u32) -> Self {
        Self(number.max(1))
    }

    /// Reads a number as addresses write it: no sign, no leading zero, not 0.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| text.parse().ok().map(Self)).flatten()
    }

    /// The release after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The number itself.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ReleaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Names one release of one app, written `shop.r3`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReleaseKey {
    /// The app.
    pub app: AppName,
    /// Its release.
    pub number: ReleaseNumber,
}

/// A text that names no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no release")]
pub struct ReleaseKeyError(String);

impl FromStr for ReleaseKey {
    type Err = ReleaseKeyError;

    fn from_str(text: &str) -> Result<Self, ReleaseKeyError> {
        let parts = || {
            let (app, number) = text.split_once(".r")?;
            Some(Self {
                app: app.parse().ok()?,
                number: ReleaseNumber::parse(number)?,
            })
        };
        parts().ok_or_else(|| ReleaseKeyError(text.to_owned()))
    }
}

impl fmt::Display for ReleaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.r{}", self.app, self.number)
    }
}

/// One release. Nothing in it changes after it is recorded except its rollout's phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Its name.
    pub key: ReleaseKey,
    /// The run that made it.
    pub run: RunId,
    /// What it runs.
    pub image: Image,
    /// How it runs: everything that mayfly.toml and the defaults decided.
    pub config: RunConfig,
    /// Which set of `.env` values it gets; 0 is the empty set.
    pub env_version: u32,
    /// The evidence of its verification, which names all that was signed about the image; none in
    /// releases of a mayfly that did not sign yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Digest>,
    /// Who made it.
    pub owner: Owner,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it has to go, when it has to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Where its rollout stands.
    pub phase: Phase,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_key_reads_back_as_written() {
        for text in ["shop.r1", "my-shop.r12"] {
            assert_eq!(text.parse::<ReleaseKey>().expect(text).to_string(), text);
        }
        for bad in [
            "shop",
            "shop.r",
            "shop.r0",
            "shop.r01",
            "shop.r+1",
            "Shop.r1",
            "shop.r99999999999",
        ] {
            assert!(bad.parse::<ReleaseKey>().is_err(), "{bad}");
        }
    }
}

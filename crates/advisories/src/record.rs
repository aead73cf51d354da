//! A record as OSV writes it. Source: OSV schema 1.7. What is not needed is not read.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

/// A record.
#[derive(Debug, Deserialize)]
pub(crate) struct Record<'a> {
    #[serde(borrow)]
    pub(crate) id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) modified: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) published: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) withdrawn: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) summary: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) details: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) aliases: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default)]
    pub(crate) severity: Option<Vec<Severity<'a>>>,
    #[serde(borrow, default)]
    pub(crate) affected: Option<Vec<Affected<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Severity<'a> {
    #[serde(borrow, default)]
    pub(crate) score: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Affected<'a> {
    #[serde(borrow, default)]
    pub(crate) package: Option<PackageName<'a>>,
    #[serde(borrow, default)]
    pub(crate) ranges: Option<Vec<Range<'a>>>,
    #[serde(borrow, default)]
    pub(crate) versions: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow, default)]
    pub(crate) severity: Option<Vec<Severity<'a>>>,
    #[serde(default)]
    pub(crate) database_specific: Option<Specific>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct PackageName<'a> {
    #[serde(borrow)]
    pub(crate) name: Cow<'a, str>,
    #[serde(borrow)]
    pub(crate) ecosystem: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Range<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(crate) events: Vec<RawEvent<'a>>,
}

/// One event; the schema allows one field each, which is not relied on.
#[derive(Debug, Deserialize)]
pub(crate) struct RawEvent<'a> {
    #[serde(borrow, default)]
    pub(crate) introduced: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) fixed: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) last_affected: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(crate) limit: Option<Cow<'a, str>>,
}

/// RustSec says there that a record is about no fault: `unmaintained`, `notice`, `unsound`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Specific {
    informational: Option<Value>,
}

impl Specific {
    pub(crate) fn is_informational(&self) -> bool {
        self.informational.as_ref().is_some_and(Value::is_string)
    }
}

//! mayfly.toml.

use super::{lines, of_line};
use crate::scan::Raw;

/// What is wrong in mayfly.toml; what no app may say at all is said where it is read.
pub(super) fn scan(text: &str) -> Vec<Raw> {
    let Ok(table) = text.parse::<toml::Table>() else {
        return vec![];
    };
    let allowed = table
        .get("egress")
        .and_then(|egress| egress.get("allow"))
        .and_then(|allow| allow.as_array());
    let is_open = |host: &str| matches!(host, "*" | "*:*" | "0.0.0.0/0" | "*:443" | "*.com");
    let opens =
        allowed.is_some_and(|hosts| hosts.iter().filter_map(|host| host.as_str()).any(is_open));
    if !opens {
        return vec![];
    }
    let found = lines(text).find(|(_, line)| line.contains("\"*") || line.contains("0.0.0.0/0"));
    found
        .map(|(start, line)| of_line("config-egress-everywhere", start, line))
        .into_iter()
        .collect()
}

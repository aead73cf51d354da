//! Marks validators with the release that they come from.
//!
//! Layers have normalised mtimes, and Express, Flask and Starlette make ETags from mtime and size:
//! an edit that keeps a file's length keeps its ETag, and a browser that shows the old file would
//! be told 304. So to clients each ETag names its release (`"abc"` of release 3 is `"r3-abc"`, as
//! strong as before), and a release gets to see only its own. Dates cannot be marked:
//!
//! - `If-Modified-Since` never reaches a release, and `If-Range` with a date neither.
//! - `Last-Modified` of 1970, which is what normalised files have, does not reach clients: without
//!   `Cache-Control` a browser would keep such a file for a tenth of its age (RFC 9111, 4.2.2).
//! - `If-Match` and `If-Unmodified-Since` protect writes, so they are never dropped: a tag of
//!   another release stays as it is and matches nothing.

use http::header::{
    ETAG, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, RANGE,
};
use http::{HeaderMap, HeaderValue};
use model::ReleaseNumber;

/// Marks the validators of a response from `release`.
pub(crate) fn mark(headers: &mut HeaderMap, release: ReleaseNumber) {
    if let Some(tag) = headers.get(ETAG).and_then(|tag| tag.to_str().ok())
        && let Ok(marked) = HeaderValue::try_from(marked(tag, release))
    {
        headers.insert(ETAG, marked);
    }
    let normalised = |date: &HeaderValue| is_in_1970(date.as_bytes());
    if headers.get(LAST_MODIFIED).is_some_and(normalised) {
        headers.remove(LAST_MODIFIED);
    }
}

/// Makes the conditions of a request those that `release` can judge.
pub(crate) fn unmark(headers: &mut HeaderMap, release: ReleaseNumber) {
    headers.remove(IF_MODIFIED_SINCE);
    replace(headers, IF_NONE_MATCH, |list| own_tags(list, release));
    replace(headers, IF_MATCH, |list| Some(all_tags(list, release)));
    if headers.contains_key(IF_RANGE) {
        replace(headers, IF_RANGE, |tag| unmarked(tag, release));
        if !headers.contains_key(IF_RANGE) {
            headers.remove(RANGE);
        }
    }
}

/// Replaces all values of a header by one, or by none. A value that is no text counts for nothing.
fn replace(headers: &mut HeaderMap, name: HeaderName, rule: impl Fn(&str) -> Option<String>) {
    if !headers.contains_key(&name) {
        return;
    }
    let values: Vec<&str> = headers
        .get_all(&name)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .collect();
    let replaced = rule(&values.join(", ")).map(HeaderValue::try_from);
    match replaced {
        Some(Ok(value)) => headers.insert(name, value),
        _ => headers.remove(name),
    };
}

/// The tag as clients see it.
fn marked(tag: &str, release: ReleaseNumber) -> String {
    let (weak, rest) = weakness(tag);
    match rest.strip_prefix('"') {
        Some(rest) => format!("{weak}\"r{release}-{rest}"),
        None => format!("{weak}r{release}-{rest}"),
    }
}

/// The tag as `release` sees it; `None` when it is another one's, or a date.
fn unmarked(tag: &str, release: ReleaseNumber) -> Option<String> {
    let (weak, rest) = weakness(tag.trim());
    let (quote, rest) = match rest.strip_prefix('"') {
        Some(rest) => ("\"", rest),
        None => ("", rest),
    };
    let (number, own) = rest.strip_prefix('r')?.split_once('-')?;
    (ReleaseNumber::parse(number)? == release).then(|| format!("{weak}{quote}{own}"))
}

fn weakness(tag: &str) -> (&str, &str) {
    match tag.strip_prefix("W/") {
        Some(rest) => ("W/", rest),
        None => ("", tag),
    }
}

/// The tags that are the release's own; `None` when none is.
fn own_tags(list: &str, release: ReleaseNumber) -> Option<String> {
    if list.trim() == "*" {
        return Some("*".to_owned());
    }
    let own: Vec<_> = tags(list)
        .filter_map(|tag| unmarked(tag, release))
        .collect();
    (!own.is_empty()).then(|| own.join(", "))
}

/// All tags, the release's own as it knows them.
fn all_tags(list: &str, release: ReleaseNumber) -> String {
    let all = tags(list).map(|tag| unmarked(tag, release).unwrap_or_else(|| tag.to_owned()));
    all.collect::<Vec<_>>().join(", ")
}

/// Splits a list at its commas, except those within quotes.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    list.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .map(str::trim)
    .filter(|tag| !tag.is_empty())
}

/// Whether a date is of 1970 (RFC 9110, 5.6.7: `Thu, 01 Jan 1970 00:00:00 GMT`).
fn is_in_1970(date: &[u8]) -> bool {
    date.get(12..16) == Some(b"1970")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn third() -> ReleaseNumber {
        ReleaseNumber::new(3)
    }

    #[test]
    fn a_tag_names_its_release_and_stays_as_strong_as_it_was() {
        for (tag, seen) in [
            ("\"abc\"", "\"r3-abc\""),
            ("W/\"abc\"", "W/\"r3-abc\""),
            ("\"\"", "\"r3-\""),
            ("\"r2-abc\"", "\"r3-r2-abc\""),
            ("abc", "r3-abc"),
        ] {
            assert_eq!(marked(tag, third()), seen);
            assert_eq!(unmarked(seen, third()).as_deref(), Some(tag));
        }
    }

    #[test]
    fn a_release_sees_its_own_tags_only() {
        for (list, own) in [
            ("\"r3-abc\"", Some("\"abc\"")),
            ("W/\"r3-abc\"", Some("W/\"abc\"")),
            ("\"r2-abc\"", None),
            ("\"abc\"", None),
            ("\"r33-abc\"", None),
            ("\"r03-abc\"", None),
            ("\"r2-a\", W/\"r3-b\" ,\"r3-c\"", Some("W/\"b\", \"c\"")),
            ("\"r3-a,b\", \"r2-c\"", Some("\"a,b\"")),
            ("*", Some("*")),
            ("", None),
            ("\"", None),
        ] {
            assert_eq!(own_tags(list, third()).as_deref(), own, "{list}");
        }
    }

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        pairs.iter().map(header).collect()
    }

    #[test]
    fn conditions_reach_only_the_release_that_can_judge_them() {
        for (sent, seen) in [
            (
                &[("if-none-match", "\"r3-a\"")][..],
                &[("if-none-match", "\"a\"")][..],
            ),
            (&[("if-none-match", "\"r2-a\"")], &[]),
            (
                &[("if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")],
                &[],
            ),
            (
                &[("if-range", "\"r3-a\""), ("range", "bytes=0-1")],
                &[("if-range", "\"a\""), ("range", "bytes=0-1")],
            ),
            (&[("if-range", "\"r2-a\""), ("range", "bytes=0-1")], &[]),
            (
                &[
                    ("if-range", "Thu, 01 Jan 1970 00:00:00 GMT"),
                    ("range", "bytes=0-1"),
                ],
                &[],
            ),
            (&[("range", "bytes=0-1")], &[("range", "bytes=0-1")]),
            (
                &[("if-match", "\"r3-a\", \"r2-b\"")],
                &[("if-match", "\"a\", \"r2-b\"")],
            ),
            (&[("if-match", "*")], &[("if-match", "*")]),
        ] {
            let mut headers = map(sent);
            unmark(&mut headers, third());
            assert_eq!(headers, map(seen), "{sent:?}");
        }
    }

    #[test]
    fn the_date_of_normalised_files_does_not_reach_clients() {
        for (date, kept) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", false),
            ("Mon, 23 Nov 2026 19:00:00 GMT", true),
            ("x", true),
        ] {
            let mut headers = map(&[("last-modified", date)]);
            mark(&mut headers, third());
            assert_eq!(headers.contains_key(LAST_MODIFIED), kept, "{date}");
        }
    }
}

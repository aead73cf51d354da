//! Which bytes a client asks for, and which it sends. Pure.
//!
//! Source: RFC 9110, 14; OCI distribution-spec 1.1, "Pushing a blob in chunks".

use std::ops::Range;

/// What an answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Everything.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Bytes that are not there.
    Nothing,
}

/// Which bytes of `size` the header `Range` asks for. Several ranges, and units that are not
/// bytes, ask for everything (RFC 9110, 14.2).
pub(crate) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(spec) = header.and_then(|text| text.trim().strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    let Some((first, last)) = spec.split_once('-').filter(|_| !spec.contains(',')) else {
        return Wanted::Whole;
    };
    let range = match (first.trim(), last.trim()) {
        ("", suffix) => number(suffix).map(|length| size.saturating_sub(length)..size),
        (first, "") => number(first).map(|first| first..size),
        (first, last) => number(first)
            .zip(number(last))
            .map(|(first, last)| first..last.saturating_add(1).min(size)),
    };
    match range {
        None => Wanted::Whole,
        Some(range) if range.is_empty() => Wanted::Nothing,
        Some(range) => Wanted::Part(range),
    }
}

/// Which bytes of a blob a chunk is, by its header `Content-Range`: `0-1023`, or in the form of
/// RFC 9110 `bytes 0-1023/*`. `None` when it is neither.
pub(crate) fn chunk(header: &str) -> Option<Range<u64>> {
    let text = header.trim();
    let text = text.strip_prefix("bytes ").unwrap_or(text);
    let text = text.split('/').next().unwrap_or_default();
    let (first, last) = text.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    let end = last.checked_add(1)?;
    (first < end).then_some(first..end)
}

/// Digits alone: no sign, no spaces.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_to_what_is_there() {
        for (header, expected) in [
            (None, Wanted::Whole),
            (Some("bytes=500-1499"), Wanted::Part(500..1500)),
            (Some("bytes=500-"), Wanted::Part(500..2048)),
            (Some("bytes=-500"), Wanted::Part(1548..2048)),
            (Some("bytes=-5000"), Wanted::Part(0..2048)),
            (Some("bytes=2000-5000"), Wanted::Part(2000..2048)),
            (Some("bytes=0-18446744073709551615"), Wanted::Part(0..2048)),
            (Some("bytes=500-0"), Wanted::Nothing),
            (Some("bytes=2048-"), Wanted::Nothing),
            (Some("bytes=5000-10000"), Wanted::Nothing),
            (Some("bytes=-0"), Wanted::Nothing),
            (Some("bytes=0-1,3-4"), Wanted::Whole),
            (Some("lines=0-1"), Wanted::Whole),
            (Some("bytes=a-b"), Wanted::Whole),
            (Some("bytes=+1-2"), Wanted::Whole),
            (Some("bytes="), Wanted::Whole),
        ] {
            assert_eq!(wanted(header, 2048), expected, "{header:?}");
        }
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Nothing);
    }

    #[test]
    fn a_chunk_names_its_first_and_last_byte() {
        for (header, expected) in [
            ("0-1023", Some(0..1024)),
            ("bytes 0-1023/*", Some(0..1024)),
            ("bytes 5-5/10", Some(5..6)),
            ("5-4", None),
            ("-5", None),
            ("5-", None),
            ("5", None),
            ("", None),
            ("0-18446744073709551615", None),
            ("0x0-5", None),
        ] {
            assert_eq!(chunk(header), expected, "{header}");
        }
    }
}

//! Which part of a file a client asks for (RFC 9110, 14).

use std::ops::Range;

/// What is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// The whole file, status 200.
    Whole,
    /// These bytes, status 206.
    Part(Range<u64>),
    /// Nothing, status 416.
    Unsatisfiable,
}

/// Reads a `Range` header for a file of `size` bytes. Several ranges, other units and what cannot
/// be read select the whole file, as the source allows.
pub(crate) fn select(header: &str, size: u64) -> Selection {
    let Some(spec) = header.trim().strip_prefix("bytes=") else {
        return Selection::Whole;
    };
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Selection::Whole;
    };
    match (number(first), number(last)) {
        (None, Some(0)) if first.is_empty() => Selection::Unsatisfiable,
        (None, Some(_)) if first.is_empty() && size == 0 => Selection::Unsatisfiable,
        (None, Some(suffix)) if first.is_empty() => {
            Selection::Part(size.saturating_sub(suffix)..size)
        }
        (Some(first), _) if first >= size && (last.is_empty() || number(last).is_some()) => {
            Selection::Unsatisfiable
        }
        (Some(first), None) if last.is_empty() => Selection::Part(first..size),
        (Some(first), Some(last)) if first <= last => {
            Selection::Part(first..size.min(last.saturating_add(1)))
        }
        _ => Selection::Whole,
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::Selection::{Part, Unsatisfiable, Whole};
    use super::*;

    #[test]
    fn a_range_selects_a_part_nothing_or_the_whole() {
        for (header, size, selection) in [
            ("bytes=0-0", 10, Part(0..1)),
            ("bytes=0-", 10, Part(0..10)),
            ("bytes=5-100", 10, Part(5..10)),
            ("bytes=-3", 10, Part(7..10)),
            ("bytes=-30", 10, Part(0..10)),
            ("bytes=9-9", 10, Part(9..10)),
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=99-100", 10, Unsatisfiable),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=-1", 0, Unsatisfiable),
            ("bytes=0-18446744073709551616", 10, Part(0..10)),
            ("bytes=5-2", 10, Whole),
            ("bytes=0-1,3-4", 10, Whole),
            ("bytes=-", 10, Whole),
            ("bytes=a-b", 10, Whole),
            ("bytes=+1-2", 10, Whole),
            ("items=0-1", 10, Whole),
            ("", 10, Whole),
        ] {
            assert_eq!(select(header, size), selection, "{header} of {size}");
        }
    }
}

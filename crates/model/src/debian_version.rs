//! Orders versions of Debian packages. Source: Debian policy, 5.6.12.

use std::cmp::Ordering;

/// Compares two versions as dpkg does.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a_epoch, a_rest) = epoch(a);
    let (b_epoch, b_rest) = epoch(b);
    let (a_upstream, a_revision) = a_rest.rsplit_once('-').unwrap_or((a_rest, "0"));
    let (b_upstream, b_revision) = b_rest.rsplit_once('-').unwrap_or((b_rest, "0"));
    a_epoch
        .cmp(&b_epoch)
        .then_with(|| compare_part(a_upstream, b_upstream))
        .then_with(|| compare_part(a_revision, b_revision))
}

fn epoch(version: &str) -> (u64, &str) {
    match version.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
        None => (0, version),
    }
}

/// Compares runs of other characters and runs of digits in turn.
fn compare_part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (a_text, a_rest) = split(a, |c| !c.is_ascii_digit());
        let (b_text, b_rest) = split(b, |c| !c.is_ascii_digit());
        let (a_number, a_left) = split(a_rest, |c| c.is_ascii_digit());
        let (b_number, b_left) = split(b_rest, |c| c.is_ascii_digit());
        let order = compare_text(a_text, b_text).then_with(|| compare_digits(a_number, b_number));
        if order.is_ne() {
            return order;
        }
        (a, b) = (a_left, b_left);
    }
    Ordering::Equal
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

fn compare_digits(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn compare_text(a: &str, b: &str) -> Ordering {
    // `~` sorts before the end, the end before letters, letters before all else.
    let weight = |c: Option<char>| match c {
        Some('~') => -1,
        None => 0,
        Some(c) if c.is_ascii_alphabetic() => c as i32,
        Some(c) => c as i32 + 256,
    };
    let (mut a, mut b) = (a.chars(), b.chars());
    loop {
        let (x, y) = (a.next(), b.next());
        let order = weight(x).cmp(&weight(y));
        if order.is_ne() || (x.is_none() && y.is_none()) {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_dpkg_orders_them() {
        for (older, newer) in [
            ("1.0", "1.1"),
            ("1.9", "1.10"),
            ("1.0~rc1", "1.0"),
            ("1.0~~", "1.0~"),
            ("1.0", "1.0a"),
            ("1.0a", "1.0+b"),
            ("9.9", "1:0.1"),
            ("1.0-1", "1.0-1+deb13u1"),
            ("1.0-1+deb13u1", "1.0-1+deb13u10"),
            ("2.41-12", "2.41-12.1"),
            ("1.0-1~bpo12+1", "1.0-1"),
        ] {
            assert_eq!(compare(older, newer), Ordering::Less, "{older} {newer}");
            assert_eq!(compare(newer, older), Ordering::Greater, "{newer} {older}");
        }
        for (a, b) in [
            ("1.0", "1.0"),
            ("1.0", "1.0-0"),
            ("0:1.0", "1.0"),
            ("1.01", "1.1"),
        ] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
    }
}

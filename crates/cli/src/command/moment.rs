//! Moments as people write and read them.

use model::Timestamp;

/// Reads a moment in the past: a date, a time, or how long ago: `2h`, `3 days`.
pub(crate) fn past(text: &str) -> Result<Timestamp, String> {
    before(text, Timestamp::now())
}

/// Reads a length of time from now on: `90d`, `12h`.
pub(crate) fn ahead(text: &str) -> Result<Timestamp, String> {
    let now = Timestamp::now();
    let span = span(text).ok_or_else(|| "write a length of time as `12h` or `30d`".to_owned())?;
    now.checked_add(span)
        .ok()
        .filter(|at| *at > now)
        .ok_or_else(|| "a length of time is longer than nothing".to_owned())
}

/// Reads a length of time: `7d`, `12h`.
pub(crate) fn length(text: &str) -> Result<std::time::Duration, String> {
    let length = span(text).and_then(|span| std::time::Duration::try_from(span).ok());
    let length = length.filter(|length| !length.is_zero());
    length.ok_or_else(|| "write a length of time as `12h` or `30d`".to_owned())
}

/// Reads a moment to come: a date, a time, or a length of time from now on: `30d`.
pub(crate) fn end(text: &str) -> Result<Timestamp, String> {
    ahead(text).or_else(|_| {
        let is_span = span(text).is_some();
        let at = before(text, Timestamp::now()).ok().filter(|_| !is_span);
        at.ok_or_else(|| "write a day as `2026-01-31`, or a length of time as `30d`".to_owned())
    })
}

/// A moment, to the second.
pub(crate) fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn before(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        let midnight = date.to_datetime(jiff::civil::Time::midnight());
        let at = jiff::tz::Offset::UTC.to_timestamp(midnight);
        return at.map_err(|error| error.to_string());
    }
    let ago = span(text).and_then(|span| now.checked_sub(span).ok());
    ago.ok_or_else(|| "write a time as `2026-01-31`, `2026-01-31T12:00:00Z` or `2h`".to_owned())
}

/// A day has 24 hours here.
fn span(text: &str) -> Option<jiff::SignedDuration> {
    let span: jiff::Span = text.parse().ok()?;
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    span.to_duration(days).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_a_time_or_how_long_ago() {
        let now: Timestamp = "2026-02-01T00:00:00Z".parse().expect("a moment");
        for (text, at) in [
            ("2026-01-31", "2026-01-31T00:00:00Z"),
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
            ("2h", "2026-01-31T22:00:00Z"),
            ("1 day", "2026-01-31T00:00:00Z"),
            ("90m", "2026-01-31T22:30:00Z"),
        ] {
            assert_eq!(
                before(text, now).map(|at| at.to_string()),
                Ok(at.to_owned()),
                "{text}"
            );
        }
        for bad in ["", "soon", "2026-13-01", "h"] {
            assert!(before(bad, now).is_err(), "{bad}");
        }
        assert!(ahead("30d").is_ok() && ahead("0s").is_err() && ahead("-1d").is_err());
    }
}

//! CVSS version 2. Source: "A Complete Guide to the CVSS 2.0", 3.2.1.

/// Ten times the base score; none when a metric is missing or unknown.
pub(crate) fn tenths(vector: &str) -> Option<u8> {
    let vector = vector.trim().trim_start_matches('(').trim_end_matches(')');
    let vector = vector.strip_prefix("CVSS:2.0/").unwrap_or(vector);
    let metric = |name: &str| {
        let mut parts = vector.split('/');
        parts.find_map(|part| part.strip_prefix(name)?.strip_prefix(':'))
    };
    let impact = |name| match metric(name)? {
        "N" => Some(0.0),
        "P" => Some(0.275),
        "C" => Some(0.66),
        _ => None,
    };
    let (c, i, a): (f64, f64, f64) = (impact("C")?, impact("I")?, impact("A")?);
    let impact = 10.41 * (1.0 - (1.0 - c) * (1.0 - i) * (1.0 - a));
    let access = match metric("AV")? {
        "L" => 0.395,
        "A" => 0.646,
        "N" => 1.0,
        _ => return None,
    };
    let complexity = match metric("AC")? {
        "H" => 0.35,
        "M" => 0.61,
        "L" => 0.71,
        _ => return None,
    };
    let authentication = match metric("Au")? {
        "M" => 0.45,
        "S" => 0.56,
        "N" => 0.704,
        _ => return None,
    };
    let exploitability = 20.0 * access * complexity * authentication;
    let factor = if impact == 0.0 { 0.0 } else { 1.176 };
    let score = (0.6 * impact + 0.4 * exploitability - 1.5) * factor;
    Some((score * 10.0).round().clamp(0.0, 100.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: the guide's own examples (3.3), and NVD's scores.
    #[test]
    fn scores_are_those_of_the_guide() {
        for (vector, expected) in [
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", Some(78)),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", Some(100)),
            ("AV:L/AC:H/Au:N/C:C/I:C/A:C", Some(62)),
            ("(AV:N/AC:M/Au:N/C:P/I:P/A:P)", Some(68)),
            ("AV:N/AC:L/Au:N/C:N/I:N/A:N", Some(0)),
            ("AV:N/AC:L/Au:N/C:N/I:N", None),
            ("AV:X/AC:L/Au:N/C:N/I:N/A:N", None),
            ("", None),
        ] {
            assert_eq!(tenths(vector), expected, "{vector}");
        }
    }
}

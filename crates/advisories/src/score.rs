//! Computes scores from the vectors of records.

use model::advisory::Score;

use crate::cvss2;
use crate::record::Severity;

/// The base metrics of version 3. Others refine the score by what a vector's reader knows.
const BASE_3: [&str; 8] = ["AV", "AC", "PR", "UI", "S", "C", "I", "A"];

/// The base metrics of version 4. A vector without one of them has no score, and not the score 0.
const BASE_4: [&str; 11] = [
    "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA",
];

/// The worst score of several vectors, and whether one of them could not be read.
pub(crate) fn worst(severities: &[Severity<'_>]) -> (Option<Score>, bool) {
    let mut worst: Option<Score> = None;
    let mut is_odd = false;
    for severity in severities {
        let vector = severity.score.trim();
        match tenths(vector) {
            Some(tenths) if worst.as_ref().is_none_or(|one| one.tenths < tenths) => {
                let vector = vector.to_owned();
                worst = Some(Score { tenths, vector });
            }
            Some(_) => {}
            None => is_odd = true,
        }
    }
    (worst, is_odd)
}

/// Ten times the score of a vector of version 2, 3 or 4; none when it is no vector.
pub(crate) fn tenths(vector: &str) -> Option<u8> {
    if vector.len() > 512 {
        return None;
    }
    let score = match vector.split_once('/') {
        Some((version @ ("CVSS:3.0" | "CVSS:3.1"), metrics)) => {
            let base = base(metrics, &BASE_3)?;
            let vector = format!("{version}/{}", base.join("/"));
            vector.parse::<cvss::v3::Base>().ok()?.score().value()
        }
        Some(("CVSS:4.0", metrics)) => {
            base(metrics, &BASE_4)?;
            vector.parse::<cvss::v4::Vector>().ok()?.score().value()
        }
        _ => return cvss2::tenths(vector),
    };
    Some((score * 10.0).round().clamp(0.0, 100.0) as u8)
}

/// The metrics of those names; none when one of them is missing.
fn base<'a>(metrics: &'a str, names: &[&str]) -> Option<Vec<&'a str>> {
    let of = |name: &&str| {
        let mut metrics = metrics.split('/');
        metrics.find(|metric| metric.split(':').next() == Some(*name))
    };
    names.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: FIRST's examples for 3.1 and 4.0.
    #[test]
    fn vectors_of_all_versions_are_scored() {
        for (vector, expected) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some(98)),
            ("CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", Some(64)),
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O",
                Some(98),
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                Some(93),
            ),
            (
                "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                Some(73),
            ),
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", Some(78)),
            ("CVSS:3.1/AV:N", None),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:Q", None),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N",
                None,
            ),
            ("CVSS:5.0/AV:N/AC:L", None),
            ("7.5", None),
            ("", None),
        ] {
            assert_eq!(tenths(vector), expected, "{vector}");
        }
    }
}

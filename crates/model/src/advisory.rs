//! Known vulnerabilities: the words, and which of them matter.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::digest::Digest;

/// How bad a vulnerability is, by its CVSS score.
///
/// Source: CVSS v3.1 specification, 5; v4.0 has the same bounds, and v2 is read by them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// Nobody scored it.
    Unknown,
    /// 0.
    None,
    /// 0.1 to 3.9.
    Low,
    /// 4.0 to 6.9.
    Medium,
    /// 7.0 to 8.9.
    High,
    /// 9.0 to 10.
    Critical,
}

impl Rating {
    /// The rating of a score in tenths.
    pub fn of(tenths: u8) -> Self {
        match tenths {
            0 => Self::None,
            1..=39 => Self::Low,
            40..=69 => Self::Medium,
            70..=89 => Self::High,
            90.. => Self::Critical,
        }
    }

    /// As policies and results write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A CVSS score, and the vector that it was computed from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Score {
    /// Ten times the score: 0 to 100.
    pub tenths: u8,
    /// `CVSS:3.1/AV:N/…`; v2 has no prefix.
    pub vector: String,
}

/// What a record says about a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvisoryKind {
    /// A fault that somebody may use.
    Vulnerability,
    /// The package does harm by intent.
    Malicious,
    /// No fault: nobody keeps it any more, or it is easily misused.
    Notice,
}

/// How sure it is that the version has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The record's versions, or its ranges, say so.
    Certain,
    /// A part of the record cannot be read or compared, and was taken for the worst.
    Assumed,
}

/// One record that is about one package's version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The record: `GHSA-…`, `PYSEC-…`, `MAL-…`.
    pub id: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// What it says.
    pub kind: AdvisoryKind,
    /// The package.
    pub purl: String,
    /// The package's name, as the record writes it.
    pub name: String,
    /// The version that has it.
    pub version: String,
    /// How bad it is.
    pub rating: Rating,
    /// Its score, when it has one.
    pub score: Option<Score>,
    /// The nearest later version without it, as the record's ranges say.
    pub fixed_in: Option<String>,
    /// What it is about, in one line.
    pub summary: String,
    /// When the record was last changed.
    pub modified: Option<Timestamp>,
    /// How sure it is.
    pub certainty: Certainty,
}

/// How a package came into an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The app asked for it, or for something that needs it.
    App,
    /// The base image has it.
    Base,
}

impl Hit {
    /// Its identity over time, by which exemptions name it: the record and the package, whatever the
    /// version. `v-` and 20 hexadecimal digits.
    pub fn fingerprint(&self) -> String {
        let package = self.purl.split(['@', '?']).next().unwrap_or(&self.purl);
        let identity = format!("{}\0{package}", self.id);
        format!("v-{}", &Digest::of(identity.as_bytes()).hex()[..20])
    }

    /// Whether it stops a release, where no policy says otherwise.
    ///
    /// Harm by intent always does; a fault does when it is bad, sure, can be mended, and is in what
    /// the app itself brings.
    pub fn blocks_by_default(&self, origin: Origin) -> bool {
        match self.kind {
            AdvisoryKind::Malicious => true,
            AdvisoryKind::Notice => false,
            AdvisoryKind::Vulnerability => {
                let is_sure = self.certainty == Certainty::Certain;
                let is_bad = self.rating >= Rating::High && is_sure;
                is_bad && self.fixed_in.is_some() && origin == Origin::App
            }
        }
    }
}

/// What was found in a list of packages, and what could not be looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Matches {
    /// What was found, worst first.
    pub hits: Vec<Hit>,
    /// Package URLs of ecosystems that the data does not have.
    pub uncovered: Vec<String>,
    /// Package URLs with a version that cannot be compared, of packages with records. It was taken
    /// for older than all others.
    pub unreadable: Vec<String>,
    /// Package URLs without a version, of packages with records.
    pub unversioned: Vec<String>,
}

impl Matches {
    /// Hits about one fault of one package together: records that name each other as aliases. The
    /// first of each group is the worst.
    pub fn grouped(&self) -> Vec<Vec<&Hit>> {
        let mut groups: Vec<Vec<&Hit>> = Vec::new();
        let mut by_name: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for hit in &self.hits {
            let names = || std::iter::once(&hit.id).chain(&hit.aliases);
            let known = names().find_map(|name| by_name.get(&(hit.purl.as_str(), name.as_str())));
            let group = known.copied().unwrap_or(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(hit);
            for name in names() {
                by_name.entry((&hit.purl, name)).or_insert(group);
            }
        }
        groups
    }
}

/// How much new data may differ from what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataChange {
    /// Records do not vanish, and dates do not go back.
    #[default]
    Plausible,
    /// Anything; somebody looked at it.
    Any,
}

/// What is known about vulnerability data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdvisoryFacts {
    /// Of all of it.
    pub digest: Digest,
    /// How large it is on the disk.
    pub size_bytes: u64,
    /// The newest record of all that is not dated in the future.
    pub modified: Option<Timestamp>,
    /// How old that is.
    pub age_seconds: Option<u64>,
    /// What it covers.
    pub ecosystems: Vec<EcosystemFacts>,
}

/// What is known about the data of one ecosystem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EcosystemFacts {
    /// As OSV names it: `PyPI`.
    pub name: String,
    /// Records that can be found.
    pub records: u32,
    /// Records of packages that do harm by intent.
    pub malicious: u32,
    /// Packages that have records.
    pub packages: u32,
    /// The distribution's releases that have records: `12`, `13`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<String>,
    /// The newest record that is not dated in the future.
    pub modified: Option<Timestamp>,
    /// What is odd about records, and how often: `dated in the future: 2`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quirks: Vec<String>,
}

/// Whether vulnerability data is good enough to decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Freshness {
    /// It is.
    Current {
        /// How old its newest record is.
        age_seconds: u64,
    },
    /// It is too old.
    Stale {
        /// How old its newest record is.
        age_seconds: u64,
    },
    /// There is none, or it has no date that can be true.
    Missing,
}

/// Data older than this has failed, unless the server is set otherwise.
pub const MAX_AGE_SECONDS: u64 = 7 * 24 * 60 * 60;

/// Whether data of that age may be decided by.
pub fn freshness(age_seconds: Option<u64>, max_age_seconds: u64) -> Freshness {
    match age_seconds {
        None => Freshness::Missing,
        Some(age_seconds) if age_seconds <= max_age_seconds => Freshness::Current { age_seconds },
        Some(age_seconds) => Freshness::Stale { age_seconds },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(id: &str, aliases: &[&str], kind: AdvisoryKind, tenths: Option<u8>) -> Hit {
        Hit {
            id: id.into(),
            aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
            kind,
            purl: "pkg:pypi/a@1".into(),
            name: "a".into(),
            version: "1".into(),
            rating: tenths.map_or(Rating::Unknown, Rating::of),
            score: None,
            fixed_in: Some("2".into()),
            summary: String::new(),
            modified: None,
            certainty: Certainty::Certain,
        }
    }

    #[test]
    fn ratings_have_the_bounds_of_the_specification() {
        for (tenths, rating) in [
            (0, Rating::None),
            (1, Rating::Low),
            (39, Rating::Low),
            (40, Rating::Medium),
            (69, Rating::Medium),
            (70, Rating::High),
            (89, Rating::High),
            (90, Rating::Critical),
            (100, Rating::Critical),
        ] {
            assert_eq!(Rating::of(tenths), rating, "{tenths}");
        }
    }

    #[test]
    fn only_what_is_bad_and_can_be_mended_by_the_app_blocks() {
        use AdvisoryKind::*;
        let fixed = Some("2".to_owned());
        for (kind, tenths, fixed_in, origin, blocks) in [
            (Vulnerability, Some(70), &fixed, Origin::App, true),
            (Vulnerability, Some(100), &fixed, Origin::App, true),
            (Vulnerability, Some(69), &fixed, Origin::App, false),
            (Vulnerability, None, &fixed, Origin::App, false),
            (Vulnerability, Some(100), &None, Origin::App, false),
            (Vulnerability, Some(100), &fixed, Origin::Base, false),
            (Malicious, None, &None, Origin::Base, true),
            (Notice, Some(100), &fixed, Origin::App, false),
        ] {
            let hit = Hit {
                fixed_in: fixed_in.clone(),
                ..hit("x", &[], kind, tenths)
            };
            assert_eq!(hit.blocks_by_default(origin), blocks, "{hit:?} {origin:?}");
            let unsure = Hit {
                certainty: Certainty::Assumed,
                ..hit
            };
            let blocks = kind == Malicious;
            assert_eq!(unsure.blocks_by_default(origin), blocks, "{unsure:?}");
        }
    }

    #[test]
    fn a_fingerprint_outlives_a_version_and_tells_packages_and_records_apart() {
        let one = hit("GHSA-1", &[], AdvisoryKind::Vulnerability, None);
        let mut newer = one.clone();
        newer.purl = "pkg:pypi/a@2?x=y".into();
        assert_eq!(one.fingerprint(), newer.fingerprint());
        newer.purl = "pkg:pypi/b@1".into();
        assert_ne!(one.fingerprint(), newer.fingerprint());
        let other = hit("GHSA-2", &[], AdvisoryKind::Vulnerability, None);
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_eq!(one.fingerprint().len(), 22);
    }

    #[test]
    fn records_of_one_fault_are_one_group() {
        let one = hit("GHSA-1", &["CVE-1"], AdvisoryKind::Vulnerability, Some(90));
        let two = hit("PYSEC-1", &["CVE-1"], AdvisoryKind::Vulnerability, None);
        let three = hit("PYSEC-2", &["CVE-2"], AdvisoryKind::Vulnerability, None);
        let mut four = one.clone();
        four.purl = "pkg:pypi/b@1".into();
        let hits = vec![one, two, three, four];
        let matches = Matches {
            hits,
            ..Matches::default()
        };
        let groups = matches.grouped();
        let ids: Vec<Vec<&str>> = (groups.iter())
            .map(|group| group.iter().map(|hit| hit.id.as_str()).collect())
            .collect();
        assert_eq!(
            ids,
            [vec!["GHSA-1", "PYSEC-1"], vec!["PYSEC-2"], vec!["GHSA-1"]]
        );
    }

    #[test]
    fn data_without_a_date_is_missing() {
        assert_eq!(freshness(None, 10), Freshness::Missing);
        let current = Freshness::Current { age_seconds: 10 };
        assert_eq!(freshness(Some(10), 10), current);
        let stale = Freshness::Stale { age_seconds: 11 };
        assert_eq!(freshness(Some(11), 10), stale);
    }
}

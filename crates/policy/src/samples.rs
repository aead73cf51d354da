//! Questions that are made up: one that nothing speaks against, and one for each thing that can.
//!
//! Recorded runs are mostly good ones, and a question that passes cannot show that a policy fails
//! open. `mayfly policy rehearse` asks these beside them.

use std::collections::BTreeMap;

use model::policy::{
    AccessFacts, AppFacts, Audience, Creator, CreatorKind, EgressFacts, EvidenceState,
    ExemptionFacts, FindingFacts, FindingsFacts, INPUT_VERSION, Input, Occasion, ProvenanceFacts,
    SbomFacts, SizeFacts, SourceFacts, TestsFacts, TtlFacts, VulnerabilitiesFacts,
    VulnerabilityFacts,
};
use model::{Digest, Timestamp};
use serde_json::{Value, json};

use crate::rehearse::Recorded;

const NOW: i64 = 1_795_575_600;
const DAY: i64 = 86_400;

/// A small app that others can reach, with nothing wrong.
pub fn good() -> Input {
    let (image, snapshot) = (Digest::from_bytes([0; 32]), Digest::from_bytes([0x11; 32]));
    Input {
        version: INPUT_VERSION,
        occasion: Occasion::Release,
        now: at(0),
        app: AppFacts {
            name: "shop".into(),
            kind: "python".into(),
            created_at: None,
            image,
            hosts: Vec::new(),
        },
        creator: Creator {
            id: "uid:1000".into(),
            kind: CreatorKind::Person,
            groups: vec!["staff".into()],
        },
        source: SourceFacts {
            snapshot,
            repository: None,
            commit: None,
            dirty: None,
        },
        findings: FindingsFacts {
            state: EvidenceState::Done,
            why: None,
            unread: 0,
            total: 0,
            list: Vec::new(),
        },
        tests: TestsFacts {
            state: EvidenceState::Done,
            why: None,
            total: 3,
            failed: 0,
        },
        sbom: sbom(image),
        vulnerabilities: vulnerabilities(),
        provenance: ProvenanceFacts {
            state: EvidenceState::Done,
            why: None,
            builder: Some("urn:mayfly:builder".into()),
            placement: Some("hosted".into()),
            image: Some(image),
            snapshot: Some(snapshot),
            signed_by: Some("key 1111".into()),
        },
        egress: EgressFacts::new(Vec::new()),
        access: AccessFacts {
            audience: Audience::Org,
        },
        size: SizeFacts {
            source_bytes: 10_000,
            source_files: 12,
            image_bytes: 50_000_000,
            memory_bytes: 536_870_912,
        },
        ttl: TtlFacts {
            seconds: Some(2_592_000),
            expires_at: Some(at(30)),
        },
        exemptions: ExemptionFacts::default(),
    }
}

/// A finding that blocks.
pub fn finding() -> FindingFacts {
    FindingFacts {
        fingerprint: "f-1".into(),
        gate: "code".into(),
        rule_id: "python.sql-from-strings".into(),
        severity: "high".into(),
        confidence: "high".into(),
        blocks: true,
        cwe: Some(89),
        file: "src/app.py".into(),
        line: 7,
        why: "a visitor can read and change the whole database".into(),
        fix: Some("pass the value as a parameter".into()),
        purl: None,
        introduced_by_this_change: Some(true),
    }
}

/// A vulnerability that blocks.
pub fn vulnerability() -> VulnerabilityFacts {
    VulnerabilityFacts {
        id: "GHSA-aaaa-bbbb-cccc".into(),
        aliases: vec!["CVE-2026-0001".into()],
        fingerprint: "v-1".into(),
        purl: "pkg:pypi/flask@2.0.0".into(),
        name: "flask".into(),
        version: "2.0.0".into(),
        severity: "high".into(),
        score_tenths: Some(75),
        has_fix: true,
        fixed_in: Some("2.2.5".into()),
        malicious: false,
        notice: false,
        assumed: false,
        from_base: false,
        direct: true,
        path: vec!["pkg:pypi/flask@2.0.0".into()],
    }
}

/// All questions: the good one, and one for each rule of the policy that comes with mayfly.
pub fn samples() -> Vec<Recorded> {
    let changes = CHANGES.iter().map(|(name, change)| {
        let mut input = told(&good());
        change(&mut input);
        Recorded {
            name: format!("sample: {name}"),
            input,
        }
    });
    let good = Recorded {
        name: "sample: a good app".into(),
        input: told(&good()),
    };
    std::iter::once(good).chain(changes).collect()
}

type Change = fn(&mut Value);

const CHANGES: [(&str, Change); 24] = [
    ("an unknown version", |q| q["version"] = json!(2)),
    ("an unknown creator", |q| q["creator"]["id"] = json!("")),
    ("an unknown audience", |q| {
        q["access"]["audience"] = json!("all")
    }),
    ("an unchecked source", |q| {
        q["findings"]["state"] = json!("missing")
    }),
    ("a list that is too short", |q| {
        q["findings"]["total"] = json!(1)
    }),
    ("a finding that blocks", |q| {
        list(q, "findings", &[json!(finding())]);
    }),
    ("two findings that block", |q| {
        let mut other = finding();
        other.fingerprint = "f-2".into();
        list(q, "findings", &[json!(finding()), json!(other)]);
    }),
    ("failing tests", |q| q["tests"]["failed"] = json!(1)),
    ("tests that did not run", |q| {
        q["tests"]["state"] = json!("inconclusive")
    }),
    ("unknown content", |q| q["sbom"]["state"] = json!("missing")),
    ("old data", |q| {
        q["vulnerabilities"]["data_age_seconds"] = json!(700_000)
    }),
    ("no data", |q| {
        q["vulnerabilities"]["state"] = json!("missing")
    }),
    ("a vulnerability that blocks", |q| {
        list(q, "vulnerabilities", &[json!(vulnerability())]);
    }),
    ("a malicious package", |q| {
        let mut worse = vulnerability();
        worse.malicious = true;
        worse.from_base = true;
        list(q, "vulnerabilities", &[json!(worse)]);
    }),
    ("nothing signed", |q| {
        q["provenance"]["state"] = json!("missing")
    }),
    ("another image", |q| {
        q["app"]["image"] = q["source"]["snapshot"].clone()
    }),
    ("another source", |q| {
        q["source"]["snapshot"] = q["app"]["image"].clone()
    }),
    ("a pattern of hosts", |q| list(q, "egress", &[json!("*")])),
    ("an open drop", |q| {
        list(q, "egress", &[json!("webhook.site")])
    }),
    ("a large folder", |q| {
        q["size"]["source_bytes"] = json!(1_u64 << 40)
    }),
    ("a large image", |q| {
        q["size"]["image_bytes"] = json!(1_u64 << 40)
    }),
    ("much memory", |q| {
        q["size"]["memory_bytes"] = json!(1_u64 << 40)
    }),
    ("no end", |q| q["ttl"]["seconds"] = json!(null)),
    ("an exemption that is over", |q| {
        list(q, "findings", &[json!(finding())]);
        list(q, "exemptions", &[exemption()]);
    }),
];

fn exemption() -> Value {
    json!({
        "target": "f-1",
        "path": ".",
        "until": "2026-11-24T00:00:00Z",
        "reason": "only staff can reach it",
        "granted_by": "uid:2000",
        "granted_by_kind": "person",
        "granted_at": "2026-11-20T00:00:00Z",
    })
}

fn list(question: &mut Value, part: &str, elements: &[Value]) {
    question[part]["list"] = json!(elements);
    question[part]["total"] = json!(elements.len());
}

fn told(input: &Input) -> Value {
    serde_json::to_value(input).unwrap_or_default()
}

fn at(days: i64) -> Timestamp {
    Timestamp::from_second(NOW + days * DAY).unwrap_or_default()
}

fn sbom(image: Digest) -> SbomFacts {
    SbomFacts {
        state: EvidenceState::Done,
        why: None,
        digest: Some(image),
        complete: true,
        packages: 68,
        by_ecosystem: BTreeMap::from([("deb".into(), 60), ("pypi".into(), 8)]),
        licences: BTreeMap::from([("MIT".into(), 8)]),
        unlicensed: 0,
        licences_outside: 0,
    }
}

fn vulnerabilities() -> VulnerabilitiesFacts {
    VulnerabilitiesFacts {
        state: EvidenceState::Done,
        why: None,
        data_modified: Some(at(-1)),
        data_age_seconds: Some(DAY.unsigned_abs()),
        max_age_seconds: 604_800,
        packages: 68,
        uncovered: 0,
        total: 0,
        list: Vec::new(),
    }
}

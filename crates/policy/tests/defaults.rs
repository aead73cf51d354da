//! The policy that comes with mayfly: what it says, and that it never fails open.

use std::collections::BTreeSet;
use std::path::Path;

use model::policy::{NOT_EVALUATED, Verdict, VulnerabilityFacts};
use policy::samples::{good, samples};
use policy::{Engine, Policies, Sources, defaults, rehearse};
use serde_json::{Value, json};

fn policies() -> Policies {
    Policies::load(defaults()).expect("the policy that comes with mayfly")
}

#[test]
fn every_file_of_the_folder_is_compiled_in() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies");
    let mut files = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "rego") {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(&path).expect("a file");
            files.insert((name, text));
        }
    }
    let found: Sources = files.into_iter().collect();
    assert_eq!(found, defaults());
}

#[test]
fn its_own_tests_pass_and_would_fail_for_another_policy() {
    let suite = policies().test().expect("tests");
    let failed: Vec<_> = suite.results.iter().map(ToString::to_string).collect();
    assert!(suite.passed(), "{}", failed.join("\n"));
    assert!(suite.results.len() > 25);

    let lenient = defaults()
        .rules()
        .chain(defaults().tests())
        .map(|(name, text)| {
            (
                name.to_owned(),
                text.replace("finding.blocks == false", "true"),
            )
        })
        .collect::<Sources>();
    let suite = Policies::load(lenient)
        .expect("a policy")
        .test()
        .expect("tests");
    assert!(!suite.passed());
}

#[test]
fn the_typed_question_is_the_one_that_the_policys_tests_ask() {
    let input = serde_json::to_value(good()).expect("a document");
    let text = "package probe\nimport data.mayfly_samples\ndeny contains \"differs\" if not mayfly_samples.good == input\n";
    let samples = defaults()
        .text("samples_test.rego")
        .expect("samples")
        .to_owned();
    let sources: Sources = [("probe.rego", text.to_owned()), ("samples.rego", samples)]
        .into_iter()
        .collect();
    let probe = Policies::load(sources).expect("a probe");
    assert_eq!(probe.decide(&input).verdict, Verdict::Pass);
    let mut other = input;
    other["app"]["name"] = json!("other");
    assert_eq!(probe.decide(&other).verdict, Verdict::Fail);
}

#[test]
fn a_good_app_passes_without_a_word() {
    let decision = policies().decide(&serde_json::to_value(good()).expect("a document"));
    assert_eq!(decision.deny, []);
    assert_eq!(decision.warn, []);
    assert_eq!(decision.verdict, Verdict::Pass);
    assert_eq!(decision.policy, defaults().digest());
}

#[test]
fn each_sample_is_denied_by_a_rule_that_says_what_to_do() {
    let policies = policies();
    let mut rules = BTreeSet::new();
    for sample in samples().into_iter().skip(1) {
        let decision = policies.decide(&sample.input);
        assert_eq!(decision.verdict, Verdict::Fail, "{}", sample.name);
        assert!(!decision.rules.is_empty(), "{}", sample.name);
        for message in decision.deny {
            assert_ne!(
                message.rule, NOT_EVALUATED,
                "{}: {}",
                sample.name, message.msg
            );
            assert!(
                message.next.is_some_and(|next| !next.is_empty()),
                "{}",
                sample.name
            );
            rules.insert(message.rule);
        }
    }
    let expected = [
        "access",
        "creator",
        "egress.drop",
        "egress.host",
        "finding",
        "findings",
        "input.list",
        "input.version",
        "malicious",
        "provenance",
        "provenance.image",
        "provenance.source",
        "sbom",
        "scan",
        "size.image",
        "size.memory",
        "size.source",
        "tests.failed",
        "ttl.long",
        "vulnerability",
    ];
    assert_eq!(rules, expected.map(str::to_owned).into_iter().collect());
}

#[test]
fn bytecode_and_interpreter_answer_alike_on_every_sample_and_every_change_of_it() {
    let policies = policies();
    let mut asked = 0;
    for sample in samples() {
        for input in
            std::iter::once(sample.input.clone()).chain(policy::changes(&sample.input).step_by(7))
        {
            let fast = policies.decide_by(Engine::Bytecode, &input);
            let slow = policies.decide_by(Engine::Interpreter, &input);
            // Only what a question must not be is an error, and then in the interpreter's words.
            let is_broken = slow.deny.iter().any(|one| one.rule == NOT_EVALUATED);
            match is_broken {
                true => assert_eq!(fast.verdict, Verdict::Fail, "{}", sample.name),
                false => assert_eq!(fast, slow, "{}", sample.name),
            }
            asked += 1;
        }
    }
    assert!(asked > 500, "{asked}");
}

#[test]
fn it_never_fails_open() {
    let policies = policies();
    let rehearsal = rehearse(&policies, &policies, &samples());
    let openings: Vec<_> = rehearsal
        .openings
        .iter()
        .map(|one| format!("{}: {} silences {:?}", one.name, one.mutation, one.silenced))
        .collect();
    assert!(rehearsal.is_closed(), "{}", openings.join("\n"));
    assert!(rehearsal.flips.is_empty() && rehearsal.mutations > 3_000);
}

#[test]
fn a_rule_that_looks_for_what_is_bad_is_shown_to_fail_open() {
    let demanding = "some place, finding in input.findings.list\n\tnot is_harmless(finding)";
    let open = "some place, finding in input.findings.list\n\tfinding.blocks == true";
    let open = defaults()
        .rules()
        .map(|(name, text)| (name.to_owned(), text.replace(demanding, open)))
        .collect::<Sources>();
    assert_ne!(open.text("findings.rego"), defaults().text("findings.rego"));
    let open = Policies::load(open).expect("a policy");
    let rehearsal = rehearse(&policies(), &open, &samples());
    let found = |place: &str| {
        rehearsal
            .openings
            .iter()
            .any(|one| one.mutation.place == place)
    };
    assert!(found("findings.list[0].blocks"));
    assert!(!rehearsal.is_closed());
}

#[test]
fn the_explanation_names_the_rule_and_the_element_that_decided() {
    let policies = policies();
    let sample = samples()
        .into_iter()
        .find(|one| one.name.contains("two findings"));
    let mut input = sample.expect("the sample").input;
    input["findings"]["list"][0]["blocks"] = json!(false);
    let explained = policies.explain(&input);
    let one = explained
        .iter()
        .find(|one| one.message.rule == "finding")
        .expect("a denial");
    assert_eq!(one.message.fingerprint.as_deref(), Some("f-2"));
    assert_eq!(one.rules.len(), 1);
    assert_eq!(one.rules[0].file, "findings.rego");
    let value = |place: &str| {
        one.seen
            .iter()
            .find(|seen| seen.place == place)
            .and_then(|seen| seen.value.clone())
    };
    assert_eq!(value("findings.list[1].blocks"), Some(Value::Bool(true)));
    assert_eq!(value("findings.list[0].blocks"), None);
}

#[test]
fn a_vulnerability_blocks_by_the_policy_where_it_blocks_by_default() {
    use model::advisory::{AdvisoryKind, Certainty, Hit, Origin, Rating};
    let policies = policies();
    let mut asked = 0;
    for kind in [
        AdvisoryKind::Vulnerability,
        AdvisoryKind::Malicious,
        AdvisoryKind::Notice,
    ] {
        for rating in [
            Rating::Unknown,
            Rating::Medium,
            Rating::High,
            Rating::Critical,
        ] {
            for fixed_in in [None, Some("2.0".to_owned())] {
                for certainty in [Certainty::Certain, Certainty::Assumed] {
                    for origin in [Origin::App, Origin::Base] {
                        let hit = Hit {
                            id: "X-1".into(),
                            aliases: Vec::new(),
                            kind,
                            purl: "pkg:pypi/a@1.0".into(),
                            name: "a".into(),
                            version: "1.0".into(),
                            rating,
                            score: None,
                            fixed_in: fixed_in.clone(),
                            summary: String::new(),
                            modified: None,
                            certainty,
                        };
                        let mut input = good();
                        let path = vec![hit.purl.clone()];
                        let facts = VulnerabilityFacts::of(&hit, origin, path);
                        input.vulnerabilities.list = vec![facts];
                        input.vulnerabilities.total = 1;
                        let input = serde_json::to_value(input).expect("a document");
                        let is_denied = policies.decide(&input).verdict == Verdict::Fail;
                        assert_eq!(
                            is_denied,
                            hit.blocks_by_default(origin),
                            "{hit:?} {origin:?}"
                        );
                        asked += 1;
                    }
                }
            }
        }
    }
    assert_eq!(asked, 96);
}

//! Policies that anybody could write: what loads, what denies, and what is bounded.

use std::time::{Duration, Instant};

use model::policy::{Decision, EntryPoint, NOT_EVALUATED, Verdict};
use policy::{Engine, Limits, Policies, PolicyError, Recorded, Sources, TestOutcome, rehearse};
use serde_json::{Value, json};

fn sources(text: &str) -> Sources {
    [("p.rego", text)].into_iter().collect()
}

fn load(text: &str) -> Result<Policies, PolicyError> {
    Policies::load(sources(text))
}

fn ask(text: &str, input: &Value) -> Decision {
    load(text).expect("a policy that loads").decide(input)
}

#[test]
fn a_policy_that_cannot_work_does_not_load() {
    for (rules, expected) in [
        ("deny contains \"x\" if {", "no Rego v1"),
        ("deny[msg] { msg := \"old\" }", "no Rego v1"),
        ("warn contains \"x\" if true", "no file of the policy has"),
        ("allow := true", "no file of the policy has"),
        ("deny if input.x", "must be a set"),
        ("deny := {\"x\"}", "must be a set"),
        (
            "deny contains \"x\" if nosuch.builtin(input.x)",
            "does not compile",
        ),
        ("deny contains \"x\" if http.send({})", "does not compile"),
        (
            "deny contains \"x\" if a(1)\na(x) if nosuch(x)",
            "does not compile",
        ),
        (
            "deny contains \"x\" if input.x with input as {}",
            "does not compile",
        ),
        ("deny contains \"x\" if unknown", "does not compile"),
        (
            "deny contains \"x\" if time.now_ns() > 0",
            "may not be used",
        ),
        (
            "deny contains \"x\" if numbers.range(1, 9)",
            "may not be used",
        ),
        (
            "deny contains \"x\" if a\na if b\nb if a",
            "depends on itself",
        ),
        (
            "deny contains \"x\" if f(1)\nf(x) if f(x - 1)",
            "depends on itself",
        ),
        ("deny contains \"x\" if some y in deny", "depends on itself"),
        (
            "deny contains \"x\" if some y in data.p.deny",
            "depends on itself",
        ),
        ("deny contains \"x\" if data.q.a", "there is no `data.q.a`"),
        (
            "import data.q as r\ndeny contains \"x\" if not r.a",
            "there is no `data.q.a`",
        ),
        (
            "deny contains \"x\" if not data.p.a",
            "there is no `data.p.a`",
        ),
    ] {
        let error = load(&format!("package p\n{rules}"));
        let error = error.err().unwrap_or_else(|| panic!("{rules:?} loads"));
        assert!(error.to_string().contains(expected), "{rules:?}: {error}");
    }
    assert!(load("").is_err());
    assert!(load("package p\ndeny contains \"x\" if input.x").is_ok());
}

#[test]
fn threads_share_a_policy() {
    let policies = load("package p\ndeny contains \"x\" if input.x").expect("a policy");
    std::thread::scope(|scope| {
        for x in [true, false] {
            let policies = &policies;
            scope.spawn(move || {
                let is_denied = policies.decide(&json!({ "x": x })).verdict == Verdict::Fail;
                assert_eq!(is_denied, x);
            });
        }
    });
}

#[test]
fn entry_points_of_all_packages_are_asked() {
    let files = [
        ("a.rego", "package one\ndeny contains \"first\" if input.a"),
        (
            "b.rego",
            "package two.deep\ndeny contains \"second\" if input.b\nwarn contains \"third\" if input.b",
        ),
    ];
    let policies = Policies::load(files.into_iter().collect()).expect("a policy");
    let decision = policies.decide(&json!({"a": true, "b": true}));
    let texts: Vec<_> = decision.deny.iter().map(|one| one.msg.as_str()).collect();
    assert_eq!(texts, ["first", "second"]);
    assert_eq!(decision.warn[0].msg, "third");
    assert_eq!(policies.decide(&json!({})).verdict, Verdict::Pass);
}

#[test]
fn messages_keep_what_their_rule_adds_and_name_the_rule_that_made_them() {
    let text = "package p\n\ndeny contains m if {\n  input.size > 3\n  m := {\"rule\": \"size\", \"msg\": \"too large\", \"next\": \"shrink it\", \"limit\": 3}\n}\ndeny contains {\"rule\": \"other\", \"msg\": \"x\"} if input.other\n";
    let decision = ask(text, &json!({"size": 4}));
    assert_eq!(decision.deny[0].next.as_deref(), Some("shrink it"));
    assert_eq!(decision.deny[0].details["limit"], 3);
    assert_eq!(decision.rules.len(), 1);
    let rule = &decision.rules[0];
    assert_eq!(
        (rule.entry, rule.file.as_str(), rule.line),
        (EntryPoint::Deny, "p.rego", 3)
    );
    assert_eq!(rule.looks_at, ["size"]);
}

#[test]
fn the_places_that_a_rule_looks_at_are_followed_through_variables_functions_and_rules() {
    let text = r#"package p
import input.source as src
deny contains {"rule": "r", "msg": "m"} if {
	some finding in input.findings.list
	not harmless(finding)
	every host in input.egress { host != "x" }
	size := input.size
	size.bytes > limit
	src.commit
	object.get(input.app, ["owner", "name"], "") != input.names[0]
}
harmless(f) if f.blocks == false
limit := input.settings["limit"]
"#;
    let decision = ask(
        text,
        &json!({
            "findings": {"list": [{"blocks": true}]}, "egress": ["a"], "size": {"bytes": 9},
            "settings": {"limit": 1}, "source": {"commit": "c"}, "app": {}, "names": ["n"],
        }),
    );
    assert_eq!(
        decision.rules[0].looks_at,
        [
            "app.owner.name",
            "egress",
            "egress[]",
            "findings.list",
            "findings.list[].blocks",
            "names[]",
            "settings.limit",
            "size",
            "size.bytes",
            "source.commit",
        ]
    );
}

#[test]
fn what_is_no_message_denies() {
    for (text, verdict) in [
        ("deny contains \"plain\" if true", Verdict::Fail),
        (
            "deny contains 7 if input.x\nwarn contains 7 if true",
            Verdict::Fail,
        ),
        (
            "deny contains 7 if input.x\nwarn contains {\"msg\": \"m\"} if true",
            Verdict::Fail,
        ),
        (
            "deny contains 7 if input.x\nexempt contains \"all\" if true",
            Verdict::Fail,
        ),
        (
            "deny contains 7 if input.x\nwarn contains \"plain\" if true",
            Verdict::Pass,
        ),
    ] {
        let decision = ask(&format!("package p\n{text}"), &json!({}));
        assert_eq!(decision.verdict, verdict, "{text}");
    }
}

#[test]
fn an_exemption_turns_its_denial_into_a_warning() {
    let text = r#"package p
deny contains {"rule": "f", "msg": "bad", "fingerprint": f} if some f in input.found
exempt contains {"rule": "f", "msg": "granted", "fingerprint": f} if some f in input.granted
"#;
    let decision = ask(text, &json!({"found": ["a", "b"], "granted": ["a"]}));
    assert_eq!(decision.verdict, Verdict::Fail);
    assert_eq!(decision.deny[0].fingerprint.as_deref(), Some("b"));
    assert_eq!(decision.warn[0].fingerprint.as_deref(), Some("a"));
    assert_eq!(decision.exempt.len(), 1);
    let decision = ask(text, &json!({"found": ["a"], "granted": ["a"]}));
    assert_eq!(decision.verdict, Verdict::Pass);
}

#[test]
fn what_cannot_be_evaluated_denies() {
    let broken = |decision: &Decision| decision.deny.iter().any(|one| one.rule == NOT_EVALUATED);
    let number = "package p\ndeny contains \"x\" if to_number(input.x) > 1";
    assert!(broken(&ask(number, &json!({"x": "one"}))));
    assert!(!broken(&ask(number, &json!({"x": "1"}))));
    let conflict = "package p\ndeny contains \"x\" if a == 1\na := 1 if input.x\na := 2 if input.x";
    assert!(broken(&ask(conflict, &json!({"x": true}))));
    let deep = (0..500).fold(json!(1), |inner, _| json!([inner]));
    assert!(broken(&ask(number, &deep)));
    let limits = Limits {
        input_bytes: 10,
        ..Limits::default()
    };
    let policies = Policies::load_with(sources(number), limits).expect("a policy");
    assert!(broken(&policies.decide(&json!({"x": "1234567890"}))));
}

#[test]
fn a_policy_that_loops_denies_in_bounded_time() {
    let digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let wheels: String = ('a'..='n')
        .map(|v| format!("\tsome {v} in {digits}\n"))
        .collect();
    let text = format!("package p\ndeny contains \"x\" if {{\n{wheels}\ta + b + n > 1000\n}}");
    let policies = load(&text).expect("a policy");
    for engine in [Engine::Bytecode, Engine::Interpreter] {
        let began = Instant::now();
        let decision = policies.decide_by(engine, &json!({}));
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{:?}",
            began.elapsed()
        );
        assert_eq!(decision.verdict, Verdict::Fail);
        assert_eq!(decision.deny[0].rule, NOT_EVALUATED);
    }
    assert_eq!(policies.decide(&json!({})).verdict, Verdict::Fail);
    let limits = Limits {
        time: Duration::from_secs(600),
        steps: 10_000,
        ..Limits::default()
    };
    let policies = Policies::load_with(sources(&text), limits).expect("a policy");
    let decision = policies.decide(&json!({}));
    assert!(
        decision.deny[0].msg.contains("instruction"),
        "{}",
        decision.deny[0].msg
    );
}

#[test]
fn texts_that_no_person_wrote_are_refused_and_not_followed() {
    let nested = format!(
        "package p\ndeny contains \"x\" if {}1{}",
        "(\n".repeat(15_000),
        ")\n".repeat(3)
    );
    let sums = format!(
        "package p\ndeny contains \"x\" if 1 < 1{}",
        "\n + 1".repeat(15_000)
    );
    let arrays = format!("package p\ndeny contains {}", "[\n".repeat(15_000));
    let wide = format!("package p\n# {}", "x".repeat(100_000));
    let long = format!("package p\n{}", "# x\n".repeat(100_000));
    for text in [&nested, &sums, &arrays, &wide, &long] {
        assert!(load(text).is_err(), "{}", &text[..40]);
    }
    let many: Sources = (0..1_001)
        .map(|n| (format!("{n}.rego"), "package p"))
        .collect();
    assert!(matches!(
        Policies::load(many),
        Err(PolicyError::TooLarge { what: "files", .. })
    ));
}

#[test]
fn tests_are_counted_one_by_one() {
    let rules = "package p\ndeny contains \"x\" if input.x";
    let tests = r#"package p_test
import data.p
test_good if p.deny == {"x"} with input as {"x": true}
test_bad if p.deny == {"x"} with input as {"x": false}
test_broken if to_number("x") == p.deny
todo_test_later if false
not_a_test if false
"#;
    let files = [("p.rego", rules), ("p_test.rego", tests)];
    let policies = Policies::load(files.into_iter().collect()).expect("a policy");
    let suite = policies.test().expect("tests");
    let outcomes: Vec<_> = suite
        .results
        .iter()
        .map(|one| (one.name.as_str(), &one.outcome))
        .collect();
    assert_eq!(outcomes[0], ("p_test.test_bad", &TestOutcome::Failed));
    assert!(matches!(
        outcomes[1],
        ("p_test.test_broken", TestOutcome::Broken(_))
    ));
    assert_eq!(outcomes[2], ("p_test.test_good", &TestOutcome::Passed));
    assert_eq!(outcomes[3], ("p_test.todo_test_later", &TestOutcome::Todo));
    assert_eq!(outcomes.len(), 4);
    assert!(!suite.passed());
    assert_eq!(suite.results[0].line, 4);
    let none = Policies::load(sources(rules))
        .expect("a policy")
        .test()
        .expect("tests");
    assert!(!none.passed(), "no test is no proof");
}

#[test]
fn a_package_in_several_files_is_tested_as_one() {
    let files = [
        (
            "a.rego",
            "package p\ndeny contains \"a\" if not ok_a\nok_a if input.x",
        ),
        (
            "b.rego",
            "package p\ndeny contains \"b\" if not ok_b\nok_b if input.x",
        ),
        (
            "t_test.rego",
            "package t\nimport data.p as q\nimport data.p\ntest_q if q.deny == set() with input as {\"x\": true}\ntest_p if p[\"deny\"] == {\"a\", \"b\"} with input as {}",
        ),
    ];
    let policies = Policies::load(files.into_iter().collect()).expect("a policy");
    let suite = policies.test().expect("tests");
    assert!(
        suite.passed() && suite.results.len() == 2,
        "{:?}",
        suite.results
    );
}

#[test]
fn a_test_that_calls_what_there_is_not_does_not_load() {
    let rules = ("p.rego", "package p\ndeny contains \"x\" if input.x");
    for test in [
        "test_a if nosuch.builtin(1)",
        "test_a if helper(1)",
        "test_a if time.now_ns() > 0",
    ] {
        let text = format!("package p_test\n{test}");
        let files = [rules, ("p_test.rego", text.as_str())];
        assert!(
            Policies::load(files.into_iter().collect()).is_err(),
            "{test}"
        );
    }
    let text = "package p_test\ntest_a if helper(1)\nhelper(x) if count([x]) == 1";
    let files = [rules, ("p_test.rego", text)];
    assert!(Policies::load(files.into_iter().collect()).is_ok());
}

#[test]
fn a_rehearsal_lists_every_verdict_that_would_flip() {
    let old = "package p\ndeny contains \"x\" if not small\nsmall if {\n is_number(input.size)\n input.size < 10\n}";
    let old = load(old).expect("a policy");
    let new = load("package p\ndeny contains \"x\" if input.size > 5").expect("a policy");
    let recorded = [3, 7, 12].map(|size| Recorded {
        name: format!("run {size}"),
        input: json!({"size": size}),
    });
    let rehearsal = rehearse(&old, &new, &recorded);
    let flips: Vec<_> = rehearsal
        .flips
        .iter()
        .map(|one| (one.name.as_str(), one.would_be.verdict))
        .collect();
    assert_eq!(flips, [("run 7", Verdict::Fail)]);
    let openings: Vec<_> = rehearsal
        .openings
        .iter()
        .map(|one| one.mutation.to_string())
        .collect();
    assert!(
        openings.contains(&"`size` dropped".to_owned()),
        "{openings:?}"
    );
    assert!(rehearse(&new, &old, &recorded).is_closed());
}

#[test]
fn evidence_that_a_policy_never_misses_is_named() {
    let policy = load("package p\ndeny contains \"x\" if not input.scan.state == \"done\"")
        .expect("a policy");
    let input = json!({"scan": {"state": "done"}, "sbom": {"state": "done"}});
    let rehearsal = rehearse(
        &policy,
        &policy,
        &[Recorded {
            name: "r".into(),
            input,
        }],
    );
    assert_eq!(rehearsal.unneeded.into_iter().collect::<Vec<_>>(), ["sbom"]);
}

#[test]
fn a_question_about_a_verification_is_answered_by_a_file_of_ones_own() {
    let text = r#"package p
deny contains {"rule": "built", "msg": "nobody says how it was built"} if not is_built
is_built if {
	some row in input.verification.rows
	row.kind == "https://slsa.dev/provenance/v1"
	row.outcome == "holds"
	startswith(row.by.key, "sha256:")
	some one in input.verification.predicates
	one.kind == row.kind
	one.predicate.buildDefinition.internalParameters.placement == "hosted"
}
"#;
    let question = |placement: &str| {
        json!({
            "version": 1, "occasion": "verify",
            "verification": {
                "rows": [{"kind": "https://slsa.dev/provenance/v1", "outcome": "holds", "by": {"key": "sha256:00"}}],
                "predicates": [{"kind": "https://slsa.dev/provenance/v1",
                    "predicate": {"buildDefinition": {"internalParameters": {"placement": placement}}}}],
            },
        })
    };
    assert_eq!(ask(text, &question("hosted")).verdict, Verdict::Pass);
    assert_eq!(ask(text, &question("local")).verdict, Verdict::Fail);
}

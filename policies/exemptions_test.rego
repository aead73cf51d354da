package mayfly_exemptions_test

import data.mayfly
import data.mayfly_samples as samples

# The fingerprints or rules that are let pass.
exempt(question) := {object.get(message, "fingerprint", message.rule) |
	some message in mayfly.exempt with input as question
}

test_a_finding_is_let_pass_by_its_fingerprint_or_its_rule if {
	question := samples.with_finding({})
	exempt(samples.exempted(question, {})) == {"f-1"}
	exempt(samples.exempted(question, {"target": "python.sql-from-strings"})) == {"f-1"}
	exempt(samples.exempted(question, {"target": "f-2"})) == set()
}

test_only_what_lies_below_the_path_is_let_pass if {
	question := samples.with_finding({})
	every path in [".", "src", "src/", "src/app.py"] {
		exempt(samples.exempted(question, {"path": path})) == {"f-1"}
	}
	every path in ["", null, "sr", "src/app", "test", "/"] {
		exempt(samples.exempted(question, {"path": path})) == set()
	}
}

test_an_exemption_ends if {
	question := samples.with_finding({})
	exempt(samples.exempted(question, {"until": "2026-11-25T03:00:00Z"})) == set()
	exempt(samples.exempted(question, {"until": "2026-11-25T03:00:01Z"})) == {"f-1"}
	exempt(samples.exempted(question, {"until": null})) == set()
}

test_neither_the_creator_nor_an_agent_alone_grants_one if {
	question := samples.with_finding({})
	exempt(samples.exempted(question, {"granted_by": "uid:1000"})) == set()
	exempt(samples.exempted(question, {"granted_by": null})) == set()
	every kind in ["agent", "service", null] {
		exempt(samples.exempted(question, {"granted_by_kind": kind})) == set()
	}
}

test_an_exemption_without_a_reason_is_none if {
	exempt(samples.exempted(samples.with_finding({}), {"reason": ""})) == set()
}

test_a_vulnerability_is_let_pass_by_any_of_its_names if {
	question := samples.with_vulnerability({})
	every target in ["v-1", "GHSA-aaaa-bbbb-cccc", "CVE-2026-0001"] {
		exempt(samples.exempted(question, {"target": target})) == {"v-1"}
	}
}

test_a_rule_of_this_policy_is_let_pass_only_when_it_may_be if {
	exempt(samples.exempted(samples.good, {"target": "ttl.long"})) == {"ttl.long"}
	every rule in ["malicious", "scan", "provenance", "input.part", "finding", "vulnerability"] {
		exempt(samples.exempted(samples.good, {"target": rule})) == set()
	}
}

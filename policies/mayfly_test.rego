package mayfly_test

import data.mayfly
import data.mayfly_samples as samples

denied(question) := {message.rule | some message in mayfly.deny with input as question}

warned(question) := {message.rule | some message in mayfly.warn with input as question}

test_a_good_app_passes_without_a_word if {
	denied(samples.good) == set()
	warned(samples.good) == set()
}

test_a_question_without_a_part_is_denied if {
	every part in data.mayfly.settings.parts {
		"input.part" in denied(object.remove(samples.good, [part]))
		"input.part" in denied(samples.changed({part: null}))
	}
}

test_an_empty_question_is_denied if {
	"input.version" in denied({})
	"findings" in denied({})
	"scan" in denied({})
	"provenance" in denied({})
}

test_a_list_that_lost_elements_is_denied if {
	every part in data.mayfly.settings.lists {
		"input.list" in denied(samples.changed({part: {"total": 3}}))
	}
}

test_an_unknown_creator_is_denied if {
	"creator" in denied(samples.changed({"creator": {"id": ""}}))
	"creator" in denied(samples.changed({"creator": {"kind": "ghost"}}))
}

test_an_unknown_audience_is_denied_and_a_public_app_is_told if {
	"access" in denied(samples.changed({"access": {"audience": "everyone"}}))
	warned(samples.changed({"access": {"audience": "public"}})) == {"access.public"}
}

test_evidence_that_is_missing_or_inconclusive_is_denied if {
	every state in ["missing", "inconclusive", null, "skipped"] {
		denied(samples.changed({"findings": {"state": state}})) == {"findings"}
		denied(samples.changed({"tests": {"state": state}})) == {"tests.failed"}
		denied(samples.changed({"sbom": {"state": state}})) == {"sbom"}
		denied(samples.changed({"vulnerabilities": {"state": state}})) == {"scan"}
		denied(samples.changed({"provenance": {"state": state}})) == {"provenance"}
	}
}

test_a_blocking_finding_is_denied_with_its_place if {
	question := samples.with_finding({})
	messages := mayfly.deny with input as question
	some message in messages
	message.rule == "finding"
	message.fingerprint == "f-1"
	startswith(message.msg, "src/app.py:7: ")
	message.next == "pass the value as a parameter"
}

test_a_finding_that_does_not_say_whether_it_blocks_is_denied if {
	"finding" in denied(samples.with_finding({"blocks": null}))
}

test_other_findings_are_counted if {
	denied(samples.with_finding({"blocks": false})) == set()
	warned(samples.with_finding({"blocks": false})) == {"findings.more"}
}

test_files_that_nobody_read_are_told if {
	warned(samples.changed({"findings": {"unread": 2}})) == {"findings.unread"}
}

test_failing_tests_are_denied_and_none_are_told if {
	denied(samples.changed({"tests": {"failed": 1}})) == {"tests.failed"}
	warned(samples.changed({"tests": {"total": 0}})) == {"tests.none"}
}

test_old_data_denies_what_others_can_reach if {
	old := {"vulnerabilities": {"data_age_seconds": 604801}}
	denied(samples.changed(old)) == {"scan"}
	every age in [null, -1, "1"] {
		denied(samples.changed({"vulnerabilities": {"data_age_seconds": age}})) == {"scan"}
	}
}

test_old_data_is_told_where_only_this_machine_reaches_the_app if {
	question := samples.changed({
		"access": {"audience": "machine"},
		"vulnerabilities": {"state": "missing", "data_age_seconds": null},
	})
	denied(question) == set()
	warned(question) == {"scan.skipped"}
}

test_a_vulnerability_with_a_fix_in_the_apps_own_packages_is_denied if {
	denied(samples.with_vulnerability({})) == {"vulnerability"}
	denied(samples.with_vulnerability({"severity": "critical"})) == {"vulnerability"}
	denied(samples.with_vulnerability({"severity": null})) == {"vulnerability"}
}

test_what_nobody_can_mend_here_is_told if {
	every changes in [
		{"from_base": true},
		{"has_fix": false, "fixed_in": null},
		{"severity": "unknown"},
		{"severity": "medium"},
		{"notice": true},
		{"assumed": true},
	] {
		denied(samples.with_vulnerability(changes)) == set()
		warned(samples.with_vulnerability(changes)) == {"vulnerabilities.more"}
	}
}

test_a_malicious_package_is_denied_wherever_it_comes_from if {
	denied(samples.with_vulnerability({"malicious": true, "from_base": true})) == {"malicious"}
	"malicious" in denied(samples.with_vulnerability({"malicious": null}))
}

test_provenance_of_something_else_is_denied if {
	denied(samples.changed({"provenance": {"image": samples.ones}})) == {"provenance.image"}
	denied(samples.changed({"provenance": {"snapshot": samples.zeros}})) == {"provenance.source"}
}

test_content_that_is_not_sure_is_told if {
	warned(samples.changed({"sbom": {"complete": false}})) == {"sbom.incomplete"}
	warned(samples.changed({"sbom": {"licences_outside": 1}})) == {"sbom.licences"}
	warned(samples.changed({"sbom": {"unlicensed": 1}})) == {"sbom.unlicensed"}
}

test_hosts_are_named_one_by_one if {
	denied(samples.with_list("egress", ["api.example.com", "db.example.com:5432"])) == set()
	every host in ["*", "*.example.com", "http://x", 7, null, ""] {
		denied(samples.with_list("egress", [host])) == {"egress.host"}
	}
}

test_places_where_anybody_leaves_data_are_denied if {
	every host in ["webhook.site", "Webhook.site:443", "x.ngrok.io", "a.b.ngrok.io:8443"] {
		denied(samples.with_list("egress", [host])) == {"egress.drop"}
	}
}

test_a_name_that_only_ends_alike_is_another_place if {
	denied(samples.with_list("egress", ["mywebhook.site", "webhook.site.example.com"])) == set()
}

test_too_many_hosts_are_denied if {
	hosts := [sprintf("h%s%s.example.com", [a, b]) | some a in split("abcdefgh", ""); some b in split("abcdefgh", "")]
	denied(samples.with_list("egress", hosts)) == {"egress.many"}
}

test_large_apps_are_denied if {
	denied(samples.changed({"size": {"source_bytes": 10000000000}})) == {"size.source"}
	denied(samples.changed({"size": {"image_bytes": 10000000000}})) == {"size.image"}
	denied(samples.changed({"size": {"memory_bytes": 10000000000}})) == {"size.memory"}
	every field in ["source_bytes", "source_files", "image_bytes", "memory_bytes"] {
		count(denied(samples.changed({"size": {field: null}}))) == 1
	}
}

test_what_others_can_reach_has_an_end if {
	denied(samples.changed({"ttl": {"seconds": null}})) == {"ttl.long"}
	denied(samples.changed({"ttl": {"seconds": 40000000}})) == {"ttl.long"}
	warned(samples.changed({"ttl": {"seconds": null}, "access": {"audience": "machine"}})) == set()
}

test_a_verification_is_no_question_for_this_policy if {
	"input.version" in denied(samples.changed({"occasion": "verify"}))
	"input.version" in denied(samples.changed({"version": 2}))
}

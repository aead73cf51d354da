# What somebody else than the creator let pass, for a while and with a reason.
package mayfly

import data.mayfly.settings

exempt contains {
	"rule": "finding",
	"msg": granted(exemption),
	"fingerprint": finding.fingerprint,
	"target": exemption.target,
	"until": exemption.until,
} if {
	some exemption in input.exemptions.list
	holds(exemption)
	some finding in input.findings.list
	is_string(finding.fingerprint)
	exemption.target in {finding.fingerprint, object.get(finding, "rule_id", "")}
	covers(exemption.path, finding.file)
}

exempt contains {
	"rule": "vulnerability",
	"msg": granted(exemption),
	"fingerprint": vulnerability.fingerprint,
	"target": exemption.target,
	"until": exemption.until,
} if {
	some exemption in input.exemptions.list
	holds(exemption)
	exemption.path == "."
	some vulnerability in input.vulnerabilities.list
	is_string(vulnerability.fingerprint)
	exemption.target in names(vulnerability)
}

exempt contains {
	"rule": exemption.target,
	"msg": granted(exemption),
	"target": exemption.target,
	"until": exemption.until,
} if {
	some exemption in input.exemptions.list
	holds(exemption)
	exemption.path == "."
	exemption.target in settings.exemptible_rules
}

# Granted by a person who did not ask for this run, with a reason, and not over yet.
holds(exemption) if {
	is_string(exemption.target)
	exemption.target != ""
	is_string(exemption.reason)
	exemption.reason != ""
	is_string(exemption.until)
	now_ns < time.parse_rfc3339_ns(exemption.until)
	exemption.granted_by_kind == "person"
	is_string(exemption.granted_by)
	is_string(input.creator.id)
	exemption.granted_by != input.creator.id
}

names(vulnerability) := {vulnerability.fingerprint, object.get(vulnerability, "id", null)} | aliases(vulnerability)

aliases(vulnerability) := {alias | some alias in vulnerability.aliases}

# Whether `file` is `path`, or lies below it.
covers(path, file) if {
	path == "."
	is_string(file)
}

covers(path, file) if {
	is_string(path)
	path == file
}

covers(path, file) if {
	is_string(path)
	path != ""
	startswith(file, concat("", [trim_suffix(path, "/"), "/"]))
}

granted(exemption) := sprintf("let pass until %s by %s: %s", [exemption.until, exemption.granted_by, exemption.reason])

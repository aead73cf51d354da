# What the checks of the source found.
package mayfly

deny contains {
	"rule": "findings",
	"msg": "the source was not checked to the end",
	"next": "run `mayfly check`",
} if {
	not source_is_checked
}

deny contains {
	"rule": "finding",
	"msg": sprintf("%s: %s", [where(finding), told(finding, "why")]),
	"next": remedy(finding),
	"fingerprint": object.get(finding, "fingerprint", null),
	"rule_id": object.get(finding, "rule_id", null),
} if {
	some place in blocking_findings
	finding := input.findings.list[place]
}

warn contains {
	"rule": "findings.more",
	"msg": sprintf("%d findings do not stop this release", [number]),
	"next": "run `mayfly check` to see them",
} if {
	number := count(input.findings.list) - count(blocking_findings)
	number > 0
}

warn contains {
	"rule": "findings.unread",
	"msg": "some files could not be read, and may hold faults that nobody saw",
	"next": "run `mayfly check` to see which",
} if {
	not everything_was_read
}

source_is_checked if {
	input.findings.state == "done"
	is_number(input.findings.unread)
}

everything_was_read if input.findings.unread == 0

# Where in the list. Looked for once: a rule without arguments is kept.
blocking_findings contains place if {
	some place, finding in input.findings.list
	not is_harmless(finding)
}

# A finding must say that it does not block.
is_harmless(finding) if finding.blocks == false

where(finding) := sprintf("%s:%d", [finding.file, finding.line]) if {
	is_string(finding.file)
	is_number(finding.line)
	finding.file != ""
	finding.line > 0
} else := finding.file if {
	is_string(finding.file)
	finding.file != ""
} else := told(finding, "purl")

remedy(finding) := finding.fix if {
	is_string(finding.fix)
} else := "run `mayfly check` to see it in full"

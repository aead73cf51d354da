# Known vulnerabilities, and whether anybody looked.
package mayfly

import data.mayfly.settings

deny contains {
	"rule": "scan",
	"msg": "the image was not matched against current vulnerability data, and others can reach this app",
	"next": "run `mayfly db update`, or `mayfly db import FILE`",
} if {
	not scan_is_current
	not only_this_machine
}

warn contains {
	"rule": "scan.skipped",
	"msg": "not scanned: the image was not matched against current vulnerability data",
	"next": "run `mayfly db update`, or `mayfly db import FILE`",
} if {
	not scan_is_current
	only_this_machine
}

deny contains {
	"rule": "malicious",
	"msg": sprintf("%s %s does harm by intent (%s)", [
		told(vulnerability, "name"),
		told(vulnerability, "version"),
		told(vulnerability, "id"),
	]),
	"next": sprintf("remove `%s`, and change every secret that this machine had", [told(vulnerability, "name")]),
	"fingerprint": object.get(vulnerability, "fingerprint", null),
} if {
	some vulnerability in input.vulnerabilities.list
	not vulnerability.malicious == false
}

deny contains {
	"rule": "vulnerability",
	"msg": sprintf("%s %s has a known vulnerability (%s, %s)", [
		told(vulnerability, "name"),
		told(vulnerability, "version"),
		told(vulnerability, "id"),
		told(vulnerability, "severity"),
	]),
	"next": upgrade(vulnerability),
	"fingerprint": object.get(vulnerability, "fingerprint", null),
} if {
	some place in blocking_vulnerabilities
	vulnerability := input.vulnerabilities.list[place]
}

warn contains {
	"rule": "vulnerabilities.more",
	"msg": sprintf("%d known vulnerabilities do not stop this release", [number]),
	"next": "run `mayfly status` to see them",
} if {
	number := count(input.vulnerabilities.list) - count(blocking_vulnerabilities)
	number > 0
}

warn contains {
	"rule": "scan.uncovered",
	"msg": "some packages are of a kind that the vulnerability data does not cover",
	"next": "run `mayfly db update` to get the data of all kinds",
} if {
	scan_is_current
	not input.vulnerabilities.uncovered == 0
}

scan_is_current if {
	scan := input.vulnerabilities
	scan.state == "done"
	is_number(scan.max_age_seconds)
	is_number(scan.data_age_seconds)
	scan.data_age_seconds >= 0
	scan.data_age_seconds <= scan.max_age_seconds
}

# Where in the list. Looked for once: a rule without arguments is kept.
blocking_vulnerabilities contains place if {
	some place, vulnerability in input.vulnerabilities.list
	not is_tolerable(vulnerability)
}

# What the base image brings is mended by a newer base image, not by this app; what nobody has mended
# yet, nobody can do anything about; and what is only feared stops nobody.
is_tolerable(vulnerability) if {
	vulnerability.from_base == true
} else if {
	vulnerability.severity in settings.tolerable_severities
} else if {
	vulnerability.has_fix == false
} else if {
	vulnerability.notice == true
} else if {
	vulnerability.assumed == true
}

upgrade(vulnerability) := sprintf("use %s %s or later; `mayfly up --upgrade` takes the newest of what no file pins", [vulnerability.name, vulnerability.fixed_in]) if {
	is_string(vulnerability.name)
	is_string(vulnerability.fixed_in)
} else := "use a version without it, or ask for an exemption"

# Questions that the tests ask, most of them with one thing changed.
package mayfly_samples

zeros := "sha256:0000000000000000000000000000000000000000000000000000000000000000"

ones := "sha256:1111111111111111111111111111111111111111111111111111111111111111"

# A small app that others can reach, with nothing wrong.
good := {
	"version": 1,
	"occasion": "release",
	"now": "2026-11-25T03:00:00Z",
	"app": {"name": "shop", "kind": "python", "created_at": null, "image": zeros, "hosts": []},
	"creator": {"id": "uid:1000", "kind": "person", "groups": ["staff"]},
	"source": {"snapshot": ones, "repository": null, "commit": null, "dirty": null},
	"findings": {"state": "done", "why": null, "unread": 0, "total": 0, "list": []},
	"tests": {"state": "done", "why": null, "total": 3, "failed": 0},
	"sbom": {
		"state": "done",
		"why": null,
		"digest": zeros,
		"complete": true,
		"packages": 68,
		"by_ecosystem": {"deb": 60, "pypi": 8},
		"licences": {"MIT": 8},
		"unlicensed": 0,
		"licences_outside": 0,
	},
	"vulnerabilities": {
		"state": "done",
		"why": null,
		"data_modified": "2026-11-24T03:00:00Z",
		"data_age_seconds": 86400,
		"max_age_seconds": 604800,
		"packages": 68,
		"uncovered": 0,
		"total": 0,
		"list": [],
	},
	"provenance": {
		"state": "done",
		"why": null,
		"builder": "urn:mayfly:builder",
		"placement": "hosted",
		"image": zeros,
		"snapshot": ones,
		"signed_by": "key 1111",
	},
	"egress": {"total": 0, "list": []},
	"access": {"audience": "org"},
	"size": {"source_bytes": 10000, "source_files": 12, "image_bytes": 50000000, "memory_bytes": 536870912},
	"ttl": {"seconds": 2592000, "expires_at": "2026-12-25T03:00:00Z"},
	"exemptions": {"total": 0, "list": []},
}

finding := {
	"fingerprint": "f-1",
	"gate": "code",
	"rule_id": "python.sql-from-strings",
	"severity": "high",
	"confidence": "high",
	"blocks": true,
	"cwe": 89,
	"file": "src/app.py",
	"line": 7,
	"why": "a visitor can read and change the whole database",
	"fix": "pass the value as a parameter",
	"purl": null,
	"introduced_by_this_change": true,
}

vulnerability := {
	"id": "GHSA-aaaa-bbbb-cccc",
	"aliases": ["CVE-2026-0001"],
	"fingerprint": "v-1",
	"purl": "pkg:pypi/flask@2.0.0",
	"name": "flask",
	"version": "2.0.0",
	"severity": "high",
	"score_tenths": 75,
	"has_fix": true,
	"fixed_in": "2.2.5",
	"malicious": false,
	"notice": false,
	"assumed": false,
	"from_base": false,
	"direct": true,
	"path": ["pkg:pypi/flask@2.0.0"],
}

exemption := {
	"target": "f-1",
	"path": ".",
	"until": "2026-12-01T00:00:00Z",
	"reason": "only staff can reach it",
	"granted_by": "uid:2000",
	"granted_by_kind": "person",
	"granted_at": "2026-11-20T00:00:00Z",
}

# Questions with the parts of `changes` in place of theirs.
changed(changes) := object.union(good, changes)

with_list(part, list) := changed({part: {"list": list, "total": count(list)}})

with_finding(changes) := with_list("findings", [object.union(finding, changes)])

with_vulnerability(changes) := with_list("vulnerabilities", [object.union(vulnerability, changes)])

exempted(question, changes) := object.union(question, {"exemptions": {
	"list": [object.union(exemption, changes)],
	"total": 1,
}})

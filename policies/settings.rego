# What the rules compare with. Change it here; the rules stay as they are.
package mayfly.settings

mib := 1048576

day_seconds := 86400

# The parts of the question that every decision needs.
parts := [
	"access",
	"app",
	"creator",
	"egress",
	"exemptions",
	"findings",
	"provenance",
	"sbom",
	"size",
	"source",
	"tests",
	"ttl",
	"vulnerabilities",
]

# The parts that hold a list and say how long it is.
lists := ["egress", "exemptions", "findings", "vulnerabilities"]

audiences := {"machine", "owner", "org", "link", "public"}

# The server limits folders too, with 200 MiB and 20,000 files unless it is set otherwise.
max_source_bytes := 2048 * mib

max_source_files := 200000

max_image_bytes := 2048 * mib

max_memory_bytes := 4096 * mib

# What others can reach ends by then.
max_ttl_seconds := 366 * day_seconds

max_egress_hosts := 50

# Where anybody can leave or fetch anything: data that goes there is given away. Their subdomains too.
open_drops := {
	"ngrok.io",
	"ngrok.app",
	"ngrok-free.app",
	"trycloudflare.com",
	"requestbin.net",
	"oastify.com",
	"interact.sh",
	"onion",
	"pastebin.com",
	"transfer.sh",
	"webhook.site",
}

# Severities of a vulnerability that do not stop a release.
tolerable_severities := {"unknown", "none", "low", "medium"}

# Rules that an exemption may name as a whole. A finding or a vulnerability is named by itself.
exemptible_rules := {
	"egress.drop",
	"egress.many",
	"size.image",
	"size.memory",
	"tests.failed",
	"ttl.long",
}

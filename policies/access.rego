# Who asks, and who can reach what they made.
package mayfly

import data.mayfly.settings

deny contains {
	"rule": "creator",
	"msg": "it is not known who asked for this run",
	"next": "run `mayfly up` as a user of this machine, or sign in",
} if {
	not creator_is_known
}

deny contains {
	"rule": "access",
	"msg": "it is not known who could reach this app",
	"next": "run `mayfly up` again",
} if {
	not audience_is_known
}

warn contains {
	"rule": "access.public",
	"msg": "everybody will be able to reach this app",
} if {
	input.access.audience == "public"
}

creator_is_known if {
	is_string(input.creator.id)
	input.creator.id != ""
	input.creator.kind in {"person", "agent", "service"}
}

audience_is_known if input.access.audience in settings.audiences

only_this_machine if input.access.audience == "machine"

# How long the app is to live.
package mayfly

import data.mayfly.settings

deny contains {
	"rule": "ttl.long",
	"msg": "others can reach this app, and nobody set when it ends, or it is too far away",
	"next": "set an end with `mayfly up --ttl 30d`",
} if {
	not only_this_machine
	not end_is_near
}

end_is_near if at_most(input.ttl.seconds, settings.max_ttl_seconds)

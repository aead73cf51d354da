# What is not known denies: a question with a part missing is none that can be answered.
package mayfly

import data.mayfly.settings

deny contains {
	"rule": "input.version",
	"msg": "the question is not of the kind that this policy answers",
	"next": "use the policy that came with this version of mayfly, or change yours to its input",
} if {
	not answers_such_questions
}

deny contains {
	"rule": "input.part",
	"msg": sprintf("the question has no `%s`", [part]),
	"next": "use the policy that came with this version of mayfly, or change yours to its input",
	"part": part,
} if {
	some part in settings.parts
	not is_there(part)
}

deny contains {
	"rule": "input.list",
	"msg": sprintf("the list of `%s` is not as long as it says", [part]),
	"next": "run `mayfly up` again",
	"part": part,
} if {
	some part in settings.lists
	not is_whole(part)
}

answers_such_questions if {
	input.version == 1
	input.occasion in {"release", "rescan"}
	is_string(input.now)
	now_ns > 0
}

# What may be undefined is looked up inside a rule: as an argument of a negated call it would take
# the whole rule with it, and nobody would deny.
is_there(part) if is_object(input[part])

is_whole(part) if {
	is_array(input[part].list)
	count(input[part].list) == input[part].total
}

now_ns := time.parse_rfc3339_ns(input.now)

# The text at `key`, for messages: a message is said even when its subject lacks a field.
told(thing, key) := value if {
	value := object.get(thing, key, "?")
	is_string(value)
} else := "?"

# How large the app is.
package mayfly

import data.mayfly.settings

deny contains {
	"rule": "size.source",
	"msg": "the folder is larger than a small app's, or its size is not known",
	"next": "list what need not go up in .mayflyignore",
} if {
	not source_is_small
}

deny contains {
	"rule": "size.image",
	"msg": "the image is larger than a small app's, or its size is not known",
	"next": "take out packages that the app does not need",
} if {
	not image_is_small
}

deny contains {
	"rule": "size.memory",
	"msg": "the app wants more memory than a small app gets, or it is not known how much",
	"next": "set `memory` in mayfly.toml, under [run]",
} if {
	not memory_is_little
}

source_is_small if {
	at_most(input.size.source_bytes, settings.max_source_bytes)
	at_most(input.size.source_files, settings.max_source_files)
}

image_is_small if at_most(input.size.image_bytes, settings.max_image_bytes)

memory_is_little if at_most(input.size.memory_bytes, settings.max_memory_bytes)

# Comparing needs a number: `null` is less than anything.
at_most(value, limit) if {
	is_number(value)
	value <= limit
}

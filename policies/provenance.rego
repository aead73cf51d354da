# Who built it, and whether what they signed is what is about to run.
package mayfly

deny contains {
	"rule": "provenance",
	"msg": "nothing signed says how this image was built",
	"next": "run `mayfly up` again",
} if {
	not origin_is_signed
}

deny contains {
	"rule": "provenance.image",
	"msg": "what is signed is about another image",
	"next": "run `mayfly up` again",
} if {
	not statement_is_about_the_image
}

deny contains {
	"rule": "provenance.source",
	"msg": "the image was built from another source",
	"next": "run `mayfly up` again",
} if {
	not statement_is_about_the_source
}

origin_is_signed if {
	input.provenance.state == "done"
	is_string(input.provenance.builder)
	is_string(input.provenance.signed_by)
}

statement_is_about_the_image if {
	is_string(input.app.image)
	input.provenance.image == input.app.image
}

statement_is_about_the_source if {
	is_string(input.source.snapshot)
	input.provenance.snapshot == input.source.snapshot
}

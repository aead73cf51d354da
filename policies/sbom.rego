# What is in the image.
package mayfly

deny contains {
	"rule": "sbom",
	"msg": "it is not known what is in the image",
	"next": "run `mayfly up` again",
} if {
	not content_is_listed
}

warn contains {
	"rule": "sbom.incomplete",
	"msg": "some of the image's files could not be read, and may belong to packages that are not listed",
	"next": "run `mayfly sbom --problems` to see which",
} if {
	not input.sbom.complete == true
}

warn contains {
	"rule": "sbom.licences",
	"msg": "some packages have a licence that is not on the list of those you may use",
	"next": "run `mayfly sbom --licences` to see which",
} if {
	not licences_are_allowed
}

warn contains {
	"rule": "sbom.unlicensed",
	"msg": sprintf("%d packages do not say under which licence they may be used", [input.sbom.unlicensed]),
	"next": "run `mayfly sbom --licences` to see which",
} if {
	input.sbom.unlicensed > 0
}

content_is_listed if {
	input.sbom.state == "done"
	is_string(input.sbom.digest)
}

licences_are_allowed if input.sbom.licences_outside == 0

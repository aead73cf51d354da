# The app's own tests.
package mayfly

deny contains {
	"rule": "tests.failed",
	"msg": "the app's own tests failed, or were not run to the end",
	"next": "run `mayfly check`, and mend what fails",
} if {
	not tests_passed
}

warn contains {
	"rule": "tests.none",
	"msg": "the app has no tests of its own",
	"next": "run `mayfly init` to get a small set",
} if {
	input.tests.total == 0
}

tests_passed if {
	input.tests.state == "done"
	input.tests.failed == 0
}

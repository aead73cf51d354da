//! The policy that comes with mayfly: the folder `policies/`, compiled in.

use crate::sources::Sources;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../policies/", $name)))),*]
    };
}

/// The files of `policies/`. A test compares the list with the folder.
const FILES: [(&str, &str); 15] = files![
    "access.rego",
    "egress.rego",
    "exemptions.rego",
    "findings.rego",
    "input.rego",
    "provenance.rego",
    "sbom.rego",
    "settings.rego",
    "size.rego",
    "tests.rego",
    "ttl.rego",
    "vulnerabilities.rego",
    "mayfly_test.rego",
    "samples_test.rego",
    "exemptions_test.rego",
];

/// The policy that comes with mayfly, with its tests.
pub fn defaults() -> Sources {
    FILES.into_iter().collect()
}

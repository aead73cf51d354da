//! What others need to verify with cosign.

use model::PredicateType;
use ports::{Key, KeyExport};

/// A Sigstore trusted root without anything in it: keys are no part of one. cosign 2 asks for one
/// all the same as soon as an image has bundles.
const TRUSTED_ROOT: &str =
    "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;version=0.1\"}\n";

/// The kinds of attestations that every release has.
const KINDS: [PredicateType; 3] = [
    PredicateType::Provenance,
    PredicateType::Spdx,
    PredicateType::CycloneDx,
];

/// The files and commands for an image of `repository`.
pub(crate) fn export(keys: &[Key], repository: &str) -> KeyExport {
    let mut files: Vec<_> = keys.iter().map(file).collect();
    if let Some(current) = keys.last() {
        files.push(("mayfly.pub".into(), current.public_pem.clone()));
    }
    files.push(("trusted_root.json".into(), TRUSTED_ROOT.into()));
    KeyExport {
        files,
        commands: commands(repository),
    }
}

fn file(key: &Key) -> (String, String) {
    let name = format!("mayfly-{}.pub", key.id.short());
    (name, key.public_pem.clone())
}

/// Versions 3 and 2 take the same words but for the trusted root.
fn commands(repository: &str) -> Vec<(String, String)> {
    // Plain http is for this machine alone; cosign takes it for granted there.
    let versions = [
        ("cosign 3", ""),
        ("cosign 2", " --trusted-root trusted_root.json"),
    ];
    let of = |(version, root): (&str, &str)| {
        let options = format!("--key mayfly.pub --insecure-ignore-tlog=true{root}");
        let signature = (
            format!("{version}, signature"),
            format!("cosign verify {options} {repository}"),
        );
        let attestations = KINDS.map(|kind| {
            let command = format!(
                "cosign verify-attestation {options} --type {} {repository}",
                kind.cosign_type()
            );
            (format!("{version}, {kind}"), command)
        });
        std::iter::once(signature).chain(attestations)
    };
    versions.into_iter().flat_map(of).collect()
}

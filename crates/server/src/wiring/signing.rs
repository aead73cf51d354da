//! Who signs: the server's key, or an identity.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use api::supply::KeylessTrust;
use attest::{
    Identity, IdentityTokens, KeyFolder, KeySigner, Keyless, KeylessSigner, LogVerifier, Services,
    Trust, TrustedRoot,
};
use model::{Failure, FailureCode, Timestamp};
use ports::{Signer, SignerError};
use serde::Deserialize;

/// The settings of keyless signing: a TOML file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeylessFile {
    /// Certificate authorities, logs and timestamp authorities to believe (a Sigstore trusted root).
    trusted_root: PathBuf,
    /// Where the services are: a Sigstore signing configuration, or the three URLs.
    signing_config: Option<PathBuf>,
    fulcio: Option<String>,
    rekor: Option<String>,
    timestamp_authority: Option<String>,
    /// A file that always holds an identity token for the audience `sigstore`.
    token: PathBuf,
    /// Whom that token is about: an address or a URI.
    identity: String,
    /// The URL of who issues it.
    issuer: String,
    /// How many seconds a run waits for a service that does not answer; it fails then.
    #[serde(default)]
    wait_seconds: u64,
}

/// A signer, and how long a run waits for it.
pub(super) struct Signing {
    pub(super) signer: Arc<dyn Signer>,
    pub(super) within: Duration,
    /// Whom to believe, where an identity signs.
    pub(super) trust: Option<KeylessTrust>,
}

/// The signer that the file `keyless` describes; the key's when there is none. Both verify what
/// either signed, and believe the transparency log's proofs.
pub(super) fn signing(
    keys: &KeyFolder,
    log: LogVerifier,
    keyless: Option<&Path>,
) -> Result<Signing, Failure> {
    let trust = Trust::default().with_log(log);
    let Some(path) = keyless else {
        return Ok(Signing {
            signer: Arc::new(KeySigner::new(keys.clone(), trust)),
            within: Duration::ZERO,
            trust: None,
        });
    };
    let file: KeylessFile = toml::from_str(&read(path)?).map_err(|error| bad(path, &error))?;
    let trusted_root = read(&file.trusted_root)?;
    let root = TrustedRoot::read(&trusted_root);
    let keyless = Keyless {
        root: root.map_err(|error| bad(&file.trusted_root, &error))?,
        identities: vec![Identity {
            subject: file.identity.clone(),
            issuer: file.issuer.clone(),
        }],
    };
    let services = services(&file, path)?;
    let tokens = Arc::new(TokenFile(file.token));
    // What the key signed before stays good.
    let trust = trust.with_keys(keys.trusted());
    Ok(Signing {
        signer: Arc::new(KeylessSigner::new(services, tokens, keyless, trust)),
        within: Duration::from_secs(file.wait_seconds),
        trust: Some(KeylessTrust {
            trusted_root,
            identity: file.identity,
            issuer: file.issuer,
        }),
    })
}

fn services(file: &KeylessFile, path: &Path) -> Result<Services, Failure> {
    if let Some(config) = &file.signing_config {
        let services = Services::read(&read(config)?, Timestamp::now());
        return services.map_err(|error| bad(config, &error));
    }
    match (&file.fulcio, &file.rekor, &file.timestamp_authority) {
        (Some(authority), Some(log), Some(clock)) => Ok(Services {
            authority: authority.clone(),
            log: log.clone(),
            clock: clock.clone(),
        }),
        _ => Err(bad(
            path,
            &"it needs `signing_config`, or `fulcio`, `rekor` and `timestamp_authority`",
        )),
    }
}

/// A token that somebody else keeps fresh.
struct TokenFile(PathBuf);

impl IdentityTokens for TokenFile {
    fn token(&self) -> Result<String, SignerError> {
        let token = fs::read_to_string(&self.0).map_err(|error| SignerError::Identity {
            why: format!("`{}`: {error}", self.0.display()),
        })?;
        Ok(token.trim().to_owned())
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| bad(path, &error))
}

fn bad(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    let text = format!(
        "the signing settings in `{}` cannot be used",
        path.display()
    );
    Failure::new(FailureCode::Usage, text)
        .because(why.to_string())
        .hint("docs/signing.md shows each setting")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(home: &Path, text: &str) -> String {
        let path = home.join("keyless.toml");
        fs::write(&path, text).expect("written");
        let keys = KeyFolder::open(&home.join("keys"), Timestamp::now()).expect("keys");
        let log = attest::LogKey::open(&home.join("log.pem")).expect("a key");
        let failure = signing(&keys, log.verifier(), Some(&path)).err();
        failure.expect("refused").cause.join(" ")
    }

    #[test]
    fn settings_that_cannot_be_are_told_with_their_file() {
        let home = tempfile::tempdir().expect("a folder");
        let root = home.path().join("root.json");
        fs::write(&root, "{}").expect("written");
        let whole = format!(
            "trusted_root = {root:?}\ntoken = \"t\"\nidentity = \"a@b.example\"\nissuer = \"http://i\"\n"
        );
        for (text, told) in [
            ("x", "expected"),
            ("trusted_root = \"/none\"", "missing field"),
            (&format!("{whole}other = 1"), "unknown field"),
            (&whole, "`fulcio`"),
            (&format!("{whole}fulcio = \"http://f\""), "`rekor`"),
            (
                &format!("{whole}signing_config = \"/none\""),
                "No such file",
            ),
        ] {
            let why = refused(home.path(), text);
            assert!(why.contains(told), "{text}: {why}");
        }
    }
}

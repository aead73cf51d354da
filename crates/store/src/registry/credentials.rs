//! Logins that docker keeps, for registries elsewhere.
//!
//! Source: docker's `config.json`, and docker-credential-helpers' protocol.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

/// What docker calls its own registry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
/// What a helper says instead of a user when the secret is a token.
const TOKEN_USER: &str = "<token>";

/// Why docker's logins cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The file is not what docker writes.
    #[error("`{path}` is no configuration of docker")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: serde_json::Error,
    },
    /// A helper that the file names fails.
    #[error("`docker-credential-{0}` does not tell the login")]
    Helper(String),
}

/// A user and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Who.
    pub user: String,
    /// The password, or a token.
    pub secret: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: HashMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: HashMap<String, String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    auth: String,
}

/// The login for `registry` in docker's configuration at `path`; `None` when there is none, or no
/// such file.
pub fn of_docker(path: &Path, registry: &str) -> Result<Option<Login>, CredentialsError> {
    let unreadable = |cause| CredentialsError::Unreadable {
        path: path.to_owned(),
        cause,
    };
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(unreadable)?,
    };
    let config: Config =
        serde_json::from_slice(&text).map_err(|cause| CredentialsError::Malformed {
            path: path.to_owned(),
            cause,
        })?;
    let names = names(registry);
    if let Some(helper) = names.iter().find_map(|name| config.cred_helpers.get(name)) {
        return of_helper(helper, &names);
    }
    let entries = names.iter().filter_map(|name| config.auths.get(name));
    if let Some(login) = entries.filter_map(|entry| decode(&entry.auth)).next() {
        return Ok(Some(login));
    }
    match &config.creds_store {
        Some(helper) => of_helper(helper, &names),
        None => Ok(None),
    }
}

/// Under which names docker may keep a registry.
fn names(registry: &str) -> Vec<String> {
    if matches!(registry, "docker.io" | "index.docker.io") {
        return vec![DOCKER_HUB.to_owned()];
    }
    vec![
        registry.to_owned(),
        format!("https://{registry}"),
        format!("https://{registry}/"),
    ]
}

fn decode(auth: &str) -> Option<Login> {
    let pair = String::from_utf8(BASE64_STANDARD.decode(auth).ok()?).ok()?;
    let (user, secret) = pair.split_once(':')?;
    Some(Login {
        user: user.to_owned(),
        secret: secret.trim_end_matches('\0').to_owned(),
    })
}

/// Asks a helper by each name, until it knows one.
fn of_helper(helper: &str, names: &[String]) -> Result<Option<Login>, CredentialsError> {
    let failed = || CredentialsError::Helper(helper.to_owned());
    // It is a part of a program's name, never a path.
    if helper.contains('/') {
        return Err(failed());
    }
    for name in names {
        if let Some(login) = ask(helper, name).map_err(|_| failed())? {
            return Ok(Some(login));
        }
    }
    Ok(None)
}

fn ask(helper: &str, name: &str) -> io::Result<Option<Login>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        username: String,
        secret: String,
    }
    let mut child = Command::new(format!("docker-credential-{helper}"))
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(name.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if !output.status.success() {
        // It does not know the name; it says so on its output, in words.
        return Ok(None);
    }
    let answer: Answer = serde_json::from_slice(&output.stdout).map_err(io::Error::other)?;
    // A token is exchanged in another way than a password is.
    Ok((answer.username != TOKEN_USER).then_some(Login {
        user: answer.username,
        secret: answer.secret,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(config: &str, registry: &str) -> Result<Option<Login>, CredentialsError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("config.json");
        fs::write(&path, config).expect("written");
        of_docker(&path, registry)
    }

    #[test]
    fn a_login_is_found_under_each_name_that_docker_gives_a_registry() {
        for (name, registry) in [
            ("reg.example:5000", "reg.example:5000"),
            ("https://reg.example", "reg.example"),
            ("https://reg.example/", "reg.example"),
            (DOCKER_HUB, "docker.io"),
        ] {
            // `me:pass:word`.
            let config = format!(r#"{{"auths":{{"{name}":{{"auth":"bWU6cGFzczp3b3Jk"}}}}}}"#);
            let found = login(&config, registry).expect(name).expect(name);
            assert_eq!(
                (found.user.as_str(), found.secret.as_str()),
                ("me", "pass:word")
            );
            assert!(login(&config, "other.example").expect(name).is_none());
        }
    }

    #[test]
    fn what_tells_no_login_is_no_login_and_what_is_broken_is_an_error() {
        for config in [
            "{}",
            r#"{"auths":{"reg":{}}}"#,
            r#"{"auths":{"reg":{"auth":"!"}}}"#,
        ] {
            assert!(login(config, "reg").expect(config).is_none(), "{config}");
        }
        for config in [
            "",
            "\"text\"",
            r#"{"credHelpers":{"reg":"no-such-helper"}}"#,
            r#"{"credsStore":"../x"}"#,
        ] {
            assert!(login(config, "reg").is_err(), "{config}");
        }
        let nowhere = Path::new("/nowhere/config.json");
        assert!(of_docker(nowhere, "reg").expect("an answer").is_none());
    }
}

//! Fetches what is published: with the machine's proxies and certificates, a limit on every
//! answer, and a second try when a connection breaks.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use model::failure::{FailureCode, Remedy};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

/// How often a request is tried.
const TRIES: u32 = 3;
/// The longest wait for a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// The longest wait for an answer's next bytes.
const READ_WITHIN: Duration = Duration::from_secs(30);

/// Where a Debian or Ubuntu machine keeps the certificates that it trusts.
const SYSTEM_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";
/// Variables that name certificates to trust, of OpenSSL, Node and pip.
const BUNDLE_VARIABLES: [&str; 4] = [
    "SSL_CERT_FILE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
];

/// Why something was not fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server does not have it.
    #[error("`{0}` is not there")]
    Missing(String),
    /// The server refused.
    #[error("`{url}` answered {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// The answer.
        status: u16,
    },
    /// There was no answer, or it broke off.
    #[error("`{url}` cannot be fetched")]
    Broken {
        /// What was asked for.
        url: String,
        /// What happened.
        #[source]
        cause: Box<ureq::Error>,
    },
    /// The answer is larger than anything that could be right.
    #[error("`{url}` is larger than {limit_bytes} bytes")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// What was allowed.
        limit_bytes: u64,
    },
}

impl Remedy for FetchError {
    fn code(&self) -> FailureCode {
        FailureCode::Network
    }

    fn hint(&self) -> Option<String> {
        Some("run `mayfly doctor` to see which hosts this machine reaches".into())
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Broken { .. } | Self::Status { .. })
    }
}

/// Fetches over connections that it keeps; clones share them.
#[derive(Debug, Clone)]
pub struct Fetcher {
    agent: ureq::Agent,
}

impl Fetcher {
    /// Trusts the machine's certificates and those that its variables name. Proxies come from
    /// `HTTP_PROXY` and its kin.
    pub fn of_machine() -> Self {
        let roots = match machine_certificates() {
            found if found.is_empty() => RootCerts::WebPki,
            found => RootCerts::new_with_certs(&found),
        };
        let tls = TlsConfig::builder().root_certs(roots).build();
        let config = ureq::Agent::config_builder()
            .tls_config(tls)
            .user_agent(concat!("mayfly/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_WITHIN))
            .timeout_recv_response(Some(READ_WITHIN))
            .timeout_per_read(Some(READ_WITHIN))
            .http_status_as_error(false)
            .max_idle_connections_per_host(8)
            .build();
        Self {
            agent: config.new_agent(),
        }
    }

    /// The answer's whole body, at most `limit_bytes`.
    pub fn get(&self, url: &str, limit_bytes: u64) -> Result<Vec<u8>, FetchError> {
        self.get_as(url, "*/*", limit_bytes)
    }

    /// The same, asking for a media type.
    pub fn get_as(&self, url: &str, accept: &str, limit_bytes: u64) -> Result<Vec<u8>, FetchError> {
        let mut tried = 1;
        loop {
            match self.get_once(url, accept, limit_bytes) {
                Err(error) if tried < TRIES && may_recover(&error) => {
                    std::thread::sleep(Duration::from_millis(200 * u64::from(tried)));
                    tried += 1;
                }
                answer => return answer,
            }
        }
    }

    fn get_once(&self, url: &str, accept: &str, limit_bytes: u64) -> Result<Vec<u8>, FetchError> {
        let broken = |cause| FetchError::Broken {
            url: shown(url),
            cause: Box::new(cause),
        };
        let request = self.agent.get(url).header("accept", accept);
        let mut answer = request.call().map_err(broken)?;
        match answer.status().as_u16() {
            200 => {}
            404 | 410 => return Err(FetchError::Missing(shown(url))),
            status => {
                return Err(FetchError::Status {
                    url: shown(url),
                    status,
                });
            }
        }
        let body = answer.body_mut().with_config().limit(limit_bytes);
        body.read_to_vec().map_err(|cause| match cause {
            ureq::Error::BodyExceedsLimit(_) => FetchError::TooLarge {
                url: shown(url),
                limit_bytes,
            },
            cause => broken(cause),
        })
    }
}

/// Whether the same request may be answered a moment later.
fn may_recover(error: &FetchError) -> bool {
    match error {
        FetchError::Broken { cause, .. } => !matches!(
            **cause,
            ureq::Error::BadUri(_) | ureq::Error::Tls(_) | ureq::Error::HostNotFound
        ),
        FetchError::Status { status, .. } => *status == 429 || *status >= 500,
        FetchError::Missing(_) | FetchError::TooLarge { .. } => false,
    }
}

/// A URL without the name and password that it may carry, for messages.
pub(crate) fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// The host of a URL, with its port when it names one.
pub(crate) fn host_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// The certificates of the machine's bundle and of those that variables name, for tools that run
/// in a sandbox: the files that are there.
pub fn certificate_files() -> Vec<PathBuf> {
    let named = BUNDLE_VARIABLES.iter().filter_map(std::env::var_os);
    let mut files: Vec<PathBuf> = named.map(PathBuf::from).collect();
    files.push(SYSTEM_BUNDLE.into());
    files.retain(|file| file.is_file());
    let mut seen = Vec::new();
    files.retain(|file| {
        let new = !seen.contains(file);
        seen.push(file.clone());
        new
    });
    files
}

fn machine_certificates() -> Vec<Certificate<'static>> {
    let read = |file: &PathBuf| -> io::Result<Vec<u8>> { fs::read(file) };
    let mut found = Vec::new();
    for file in certificate_files() {
        match read(&file) {
            Ok(pem) => found.extend(parse_pem(&pem).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            })),
            Err(cause) => {
                tracing::warn!(file = %file.display(), %cause, "certificates are skipped")
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_shows_the_password_of_a_url() {
        for (url, text, host) in [
            (
                "http://a.example/x",
                "http://a.example/x",
                Some("a.example"),
            ),
            (
                "https://u:p@a.example:8443/x",
                "https://a.example:8443/x",
                Some("a.example:8443"),
            ),
            (
                "https://u:p@A.example",
                "https://A.example",
                Some("a.example"),
            ),
            (
                "https://a.example/x@y",
                "https://a.example/x@y",
                Some("a.example"),
            ),
            ("nonsense", "nonsense", None),
        ] {
            assert_eq!(shown(url), text);
            assert_eq!(host_of(url).as_deref(), host);
        }
    }
}

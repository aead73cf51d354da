//! Who asks: the token flow of `docker login`.
//!
//! A client without credentials is told where to get a bearer token. There it shows a mayfly token
//! as its password, and gets a bearer of a few minutes that stands for it; a revoked token takes
//! its bearers with it at once.
//!
//! Source: distribution's "Token Authentication Specification"; RFC 6750, 3; RFC 7617.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use model::{Digest, Timestamp};
use ports::access::{Grant, Right};
use rand::RngCore;
use rand::rngs::OsRng;
use serde_json::json;
use store::registry::RepositoryName;

use super::answer::Refusal;
use super::{Anonymous, Openness, State};

/// How long a bearer holds.
const BEARER_LIFE: Duration = Duration::from_secs(300);
/// How many bearers there are at most; the oldest go first.
const MAX_BEARERS: usize = 10_000;
/// The bearer of those who have no token, where they may pull.
const NOBODY: &str = "anonymous";

/// Who asks.
#[derive(Debug)]
pub(super) enum Caller {
    /// Somebody without a token.
    Nobody,
    /// The bearer of a token.
    Known(Grant),
}

/// Bearers that hold, by their hash. They are forgotten when the daemon ends: clients get new ones
/// by themselves.
#[derive(Default)]
pub(super) struct Bearers(Mutex<HashMap<Digest, Bearer>>);

struct Bearer {
    /// The token's name in the record.
    token: String,
    until: Instant,
}

impl Bearers {
    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Bearer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn issue(&self, token: String) -> Result<String, Refusal> {
        let mut random = [0; 32];
        OsRng.try_fill_bytes(&mut random).map_err(|error| {
            tracing::error!(%error, "the machine gives no random numbers");
            Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN", "try again")
        })?;
        let bearer = Digest::from_bytes(random).hex();
        let now = Instant::now();
        let mut bearers = self.lock();
        if bearers.len() >= MAX_BEARERS {
            make_room(&mut bearers, now);
        }
        let until = now + BEARER_LIFE;
        bearers.insert(Digest::of(bearer.as_bytes()), Bearer { token, until });
        Ok(bearer)
    }

    /// The token that a bearer stands for.
    fn token(&self, bearer: &str) -> Option<String> {
        let bearers = self.lock();
        let found = bearers.get(&Digest::of(bearer.as_bytes()))?;
        (Instant::now() < found.until).then(|| found.token.clone())
    }
}

fn make_room(bearers: &mut HashMap<Digest, Bearer>, now: Instant) {
    bearers.retain(|_, bearer| now < bearer.until);
    let oldest = bearers.iter().min_by_key(|(_, bearer)| bearer.until);
    if let Some(oldest) = oldest.map(|(hash, _)| *hash)
        && bearers.len() >= MAX_BEARERS
    {
        bearers.remove(&oldest);
    }
}

/// What the header `Authorization` shows.
enum Credentials {
    Secret(String),
    Bearer(String),
}

fn credentials(parts: &Parts) -> Option<Result<Credentials, ()>> {
    let header = parts.headers.get(AUTHORIZATION)?;
    let read = || {
        let (scheme, rest) = header.to_str().ok()?.split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(Credentials::Bearer(rest.to_owned()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(BASE64_STANDARD.decode(rest).ok()?).ok()?;
        // Whoever the user says to be: the token knows.
        let (_user, secret) = pair.split_once(':')?;
        Some(Credentials::Secret(secret.to_owned()))
    };
    Some(read().ok_or(()))
}

/// Who asks. Fails when credentials are shown that do not hold.
pub(super) async fn caller(
    state: &State,
    parts: &Parts,
    now: Timestamp,
) -> Result<Caller, Refusal> {
    let tokens = &state.config().tokens;
    let grant = match credentials(parts) {
        None => return Ok(Caller::Nobody),
        Some(Ok(Credentials::Bearer(bearer))) if bearer == NOBODY => return Ok(Caller::Nobody),
        Some(Ok(Credentials::Secret(secret))) => tokens.verify(&secret, now).await?,
        Some(Ok(Credentials::Bearer(bearer))) => match state.bearers().token(&bearer) {
            Some(token) => tokens.still_gives(&token, now).await?,
            None => None,
        },
        Some(Err(())) => None,
    };
    match grant {
        Some(grant) => Ok(Caller::Known(grant)),
        None => Err(Refusal::unauthorized(challenge(
            parts,
            None,
            Some("invalid_token"),
        )?)),
    }
}

impl Caller {
    /// Whether the caller may read a repository.
    pub(super) fn may_read(&self, state: &State, repository: &RepositoryName) -> bool {
        match self {
            Self::Known(grant) => grant.allows(repository.as_str(), Right::Read),
            Self::Nobody => state.config().anonymous == Anonymous::MayPull,
        }
    }
}

/// Refuses what the caller may not do. Without a repository it is only asked who calls.
pub(super) fn check(
    state: &State,
    parts: &Parts,
    caller: &Caller,
    repository: Option<&RepositoryName>,
    right: Right,
) -> Result<(), Refusal> {
    let Some(repository) = repository else {
        return match caller {
            Caller::Known(_) => Ok(()),
            // Who may pull without a token still learns here how to show one.
            Caller::Nobody => Err(Refusal::unauthorized(challenge(parts, None, None)?)),
        };
    };
    match caller {
        Caller::Nobody if right == Right::Read && caller.may_read(state, repository) => Ok(()),
        Caller::Nobody => {
            let scope = Some((repository, right));
            Err(Refusal::unauthorized(challenge(parts, scope, None)?))
        }
        Caller::Known(grant) if !grant.allows(repository.as_str(), right) => {
            let text = format!("your token does not let you do this in `{repository}`");
            Err(Refusal::denied(text))
        }
        Caller::Known(_) if right == Right::Write && is_closed(state, repository) => {
            let text = format!("`{repository}` holds releases, which only mayfly writes");
            Err(Refusal::denied(text))
        }
        Caller::Known(_) => Ok(()),
    }
}

fn is_closed(state: &State, repository: &RepositoryName) -> bool {
    (state.config().openness)(repository) == Openness::ReadOnly
}

/// `/v2/token`: a bearer for who shows a token.
pub(super) async fn token(state: &State, parts: &Parts) -> Result<Response, Refusal> {
    if parts.method != axum::http::Method::GET {
        return Err(Refusal::method_not_allowed());
    }
    let caller = match credentials(parts) {
        Some(Ok(Credentials::Bearer(_))) => Caller::Nobody,
        _ => caller(state, parts, Timestamp::now()).await?,
    };
    let bearer = match caller {
        Caller::Known(grant) => state.bearers().issue(grant.token)?,
        Caller::Nobody if state.config().anonymous == Anonymous::MayPull => NOBODY.to_owned(),
        Caller::Nobody => {
            let text = "the password is a token that `mayfly token` makes";
            return Err(Refusal::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", text));
        }
    };
    Ok(Json(json!({
        "token": bearer,
        "access_token": bearer,
        "expires_in": BEARER_LIFE.as_secs(),
        "issued_at": Timestamp::now().to_string(),
    }))
    .into_response())
}

/// The header that says where a bearer is to be had: at this registry, by the name that the client
/// knows it by.
fn challenge(
    parts: &Parts,
    scope: Option<(&RepositoryName, Right)>,
    error: Option<&str>,
) -> Result<String, Refusal> {
    let host = host(parts)
        .ok_or_else(|| Refusal::new(StatusCode::BAD_REQUEST, "UNSUPPORTED", "which host?"))?;
    let scheme = if is_loopback(&host) { "http" } else { "https" };
    let mut text = format!(r#"Bearer realm="{scheme}://{host}/v2/token",service="{host}""#);
    if let Some((repository, right)) = scope {
        let actions = match right {
            Right::Read => "pull",
            Right::Write => "pull,push",
        };
        text.push_str(&format!(r#",scope="repository:{repository}:{actions}""#));
    }
    if let Some(error) = error {
        text.push_str(&format!(r#",error="{error}""#));
    }
    Ok(text)
}

/// The name that the client uses, when it is a name and perhaps a port.
fn host(parts: &Parts) -> Option<Authority> {
    let header = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let text = header.or_else(|| parts.uri.authority().map(Authority::as_str))?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    let authority: Authority = text.parse().ok()?;
    text.bytes().all(fits).then_some(authority)
}

/// Whether nobody else hears what is said to this host.
fn is_loopback(host: &Authority) -> bool {
    let name = host.host().trim_start_matches('[').trim_end_matches(']');
    let address = name.parse::<IpAddr>();
    name == "localhost"
        || name.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(host: Option<&str>) -> Parts {
        let mut request = Request::builder().uri("/v2/");
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        request.body(()).expect("a request").into_parts().0
    }

    #[test]
    fn the_realm_is_the_host_that_the_client_knows_and_plain_on_loopback_alone() {
        for (host, realm) in [
            ("127.0.0.1:5000", "http://127.0.0.1:5000/v2/token"),
            ("localhost:5000", "http://localhost:5000/v2/token"),
            ("[::1]:5000", "http://[::1]:5000/v2/token"),
            ("reg.localhost:80", "http://reg.localhost:80/v2/token"),
            ("mayfly.example", "https://mayfly.example/v2/token"),
            ("10.0.0.1:5000", "https://10.0.0.1:5000/v2/token"),
            (
                "localhost.example:1",
                "https://localhost.example:1/v2/token",
            ),
        ] {
            let challenge = challenge(&parts(Some(host)), None, None).expect(host);
            let expected = format!(r#"Bearer realm="{realm}",service="{host}""#);
            assert_eq!(challenge, expected);
        }
    }

    #[test]
    fn a_host_that_is_none_gets_no_realm() {
        for host in [
            None,
            Some(""),
            Some("a\"b"),
            Some("user@host"),
            Some("a b"),
            Some("a/b"),
            Some("a,b"),
        ] {
            assert!(challenge(&parts(host), None, None).is_err(), "{host:?}");
        }
    }

    #[test]
    fn the_oldest_bearer_goes_when_there_are_too_many() {
        let bearers = Bearers::default();
        let first = bearers.issue("first".to_owned()).expect("a bearer");
        for _ in 1..MAX_BEARERS {
            bearers.issue("other".to_owned()).expect("a bearer");
        }
        assert_eq!(bearers.token(&first).as_deref(), Some("first"));
        let last = bearers.issue("last".to_owned()).expect("a bearer");
        assert_eq!(bearers.lock().len(), MAX_BEARERS);
        assert_eq!(bearers.token(&first), None);
        assert_eq!(bearers.token(&last).as_deref(), Some("last"));
    }
}

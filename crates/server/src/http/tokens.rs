//! `/v1/tokens`: what other people's tools show the registry.

use api::supply::{IssuedToken, TokenRequest, TokenRight, TokenSummary};
use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use delivery::keys::require_root;
use model::{Failure, FailureCode, Timestamp};
use ports::access::{Right, Scope};
use store::registry::{NewToken, TokenRecord};

use super::peer::Peer;
use super::{Daemon, Refusal};

/// Every token, oldest first; never a secret.
pub(crate) async fn list(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
) -> Result<Json<Vec<TokenSummary>>, Refusal> {
    require_root(peer.owner()?)?;
    let tokens = daemon.tokens.list().await;
    let tokens = tokens.map_err(|error| Failure::of(&error))?;
    Ok(Json(tokens.into_iter().map(summary).collect()))
}

/// Makes a token.
pub(crate) async fn issue(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(request): Json<TokenRequest>,
) -> Result<Json<IssuedToken>, Refusal> {
    require_root(peer.owner()?)?;
    let now = Timestamp::now();
    if request.expires_at <= now {
        return Err(Failure::new(FailureCode::Usage, "a token must be good for a while").into());
    }
    let new = NewToken {
        label: request.label,
        scopes: vec![Scope {
            prefix: request.prefix,
            right: match request.right {
                TokenRight::Read => Right::Read,
                TokenRight::Write => Right::Write,
            },
        }],
        expires_at: request.expires_at,
    };
    let issued = daemon.tokens.issue(new, now).await;
    let issued = issued.map_err(|error| Failure::of(&error))?;
    Ok(Json(IssuedToken {
        id: issued.id,
        secret: issued.secret,
        registry: daemon.api_address.to_string(),
    }))
}

/// From now on, a token gives nothing.
pub(crate) async fn revoke(
    State(daemon): State<Daemon>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
) -> Result<Json<()>, Refusal> {
    require_root(peer.owner()?)?;
    let revoked = daemon.tokens.revoke(&id, Timestamp::now()).await;
    match revoked.map_err(|error| Failure::of(&error))? {
        true => Ok(Json(())),
        false => Err(
            Failure::new(FailureCode::NotFound, format!("there is no token `{id}`"))
                .hint("run `mayfly token list` to see which there are")
                .into(),
        ),
    }
}

fn summary(token: TokenRecord) -> TokenSummary {
    let scope = |scope: &Scope| {
        let what = match scope.prefix.as_str() {
            "" => "everything",
            prefix => prefix,
        };
        let right = match scope.right {
            Right::Read => "pull",
            Right::Write => "pull and push",
        };
        format!("{what}: {right}")
    };
    TokenSummary {
        id: token.id,
        label: token.label,
        scopes: token.scopes.iter().map(scope).collect(),
        expires_at: token.expires_at,
        revoked_at: token.revoked_at,
    }
}

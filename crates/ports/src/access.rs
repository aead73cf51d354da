//! Who may read and write which repositories of the registry, by the token that they show.

use async_trait::async_trait;
use model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::LedgerError;

/// What a token lets its bearer do in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// Pull.
    Read,
    /// Pull, push and delete.
    Write,
}

/// A right in some repositories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Whole segments that a repository's name begins with: `team` covers `team` and `team/shop`,
    /// never `teamwork`. Empty covers every repository.
    pub prefix: String,
    /// What is allowed there.
    pub right: Right,
}

impl Scope {
    fn covers(&self, repository: &str) -> bool {
        if self.prefix.is_empty() {
            return true;
        }
        let rest = repository.strip_prefix(self.prefix.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// What a token that holds gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The token's name in the record, never its secret.
    pub token: String,
    /// Each right that it gives.
    pub scopes: Vec<Scope>,
}

impl Grant {
    /// Whether it gives `right` in `repository`. Who may write may read.
    pub fn allows(&self, repository: &str, right: Right) -> bool {
        let gives = |scope: &Scope| scope.right >= right && scope.covers(repository);
        self.scopes.iter().any(gives)
    }
}

/// Tells what a secret gives.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// What the token with this secret gives at `now`; `None` when there is none, or it expired or
    /// was revoked.
    async fn verify(&self, secret: &str, now: Timestamp) -> Result<Option<Grant>, LedgerError>;

    /// What the token of this name in the record gives at `now`.
    async fn still_gives(&self, token: &str, now: Timestamp) -> Result<Option<Grant>, LedgerError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(scopes: &[(&str, Right)]) -> Grant {
        let scope = |&(prefix, right): &(&str, Right)| Scope {
            prefix: prefix.to_owned(),
            right,
        };
        Grant {
            token: "t".to_owned(),
            scopes: scopes.iter().map(scope).collect(),
        }
    }

    #[test]
    fn a_scope_covers_whole_segments_and_writers_may_read() {
        use Right::{Read, Write};
        for (scopes, repository, right, allowed) in [
            (vec![("team", Write)], "team", Write, true),
            (vec![("team", Write)], "team/shop", Read, true),
            (vec![("team", Write)], "teamwork", Read, false),
            (vec![("team", Write)], "other", Read, false),
            (vec![("team", Read)], "team/shop", Write, false),
            (vec![("", Read)], "any/thing", Read, true),
            (vec![("", Read)], "any/thing", Write, false),
            (vec![("", Read), ("team", Write)], "team/a", Write, true),
            (vec![], "team", Read, false),
        ] {
            let grant = grant(&scopes);
            assert_eq!(
                grant.allows(repository, right),
                allowed,
                "{scopes:?} {repository} {right:?}"
            );
        }
    }
}

//! The server's signing keys. Each change of them is an event.

use std::collections::BTreeSet;

use api::supply::{Export, KnownKey, RevokeRequest};
use model::app::Owner;
use model::event::Happening;
use model::{AppName, Failure, FailureCode};
use ports::{Change, Key};

use crate::Delivery;
use crate::apps::ROOT;
use crate::dossier::Which;

/// How many events about the server are looked at at once.
const AT_ONCE: u32 = 1000;

impl Delivery {
    /// Makes a new key that signs from now on.
    pub async fn rotate_key(&self, owner: Owner) -> Result<KnownKey, Failure> {
        require_root(owner)?;
        let rotated = self.ports.keys.rotate(self.ports.clock.now()).await;
        let key = rotated.map_err(|error| Failure::of(&error))?;
        self.tell_keys().await?;
        Ok(known(key))
    }

    /// Lets nothing count any more that a key signed from a moment on; a new key takes over when it
    /// was the one that signs. Returns the key that signs now.
    pub async fn revoke_key(
        &self,
        request: &RevokeRequest,
        owner: Owner,
    ) -> Result<KnownKey, Failure> {
        require_root(owner)?;
        let now = self.ports.clock.now();
        if request.from > now {
            return Err(Failure::new(
                FailureCode::Usage,
                "a key cannot be revoked from a time to come",
            )
            .hint("leave `--from` out to revoke it from now on"));
        }
        let keys = self.ports.keys.keys().await;
        let wanted = |key: &&Key| match &request.key {
            Some(id) => {
                let id = id.strip_prefix("sha256:").unwrap_or(id);
                key.id.hex().starts_with(id)
            }
            None => true,
        };
        let matching: Vec<_> = keys.iter().rev().filter(wanted).collect();
        let key = match (&request.key, &matching[..]) {
            (None, [newest, ..]) | (Some(_), [newest]) => newest.id,
            (Some(id), []) => return Err(no_key(id, "there is no key")),
            (Some(id), _) => return Err(no_key(id, "there are several keys")),
            (None, []) => return Err(no_key("", "there is no key")),
        };
        let revoked = self.ports.keys.revoke(key, request.from, now).await;
        let signing = revoked.map_err(|error| Failure::of(&error))?;
        self.tell_keys().await?;
        Ok(known(signing))
    }

    /// What others need to verify an app's image, or any, with their own tools.
    pub async fn export_keys(&self, app: Option<&AppName>) -> Result<Export, Failure> {
        let reference = match app {
            Some(app) => {
                let dossier = self.dossier(app, Which::Stable).await?;
                format!("{}@{}", dossier.subject.name, dossier.subject.digest)
            }
            None => "HOST/NAME@sha256:DIGEST".to_owned(),
        };
        let export = self.ports.keys.export(&reference).await;
        Ok(Export {
            files: export.files,
            commands: export.commands,
        })
    }

    /// Every key, oldest first.
    pub async fn known_keys(&self) -> Vec<KnownKey> {
        self.ports
            .keys
            .keys()
            .await
            .into_iter()
            .map(known)
            .collect()
    }

    /// Records what happened to keys and no event tells of yet: a kill may have come between.
    pub(crate) async fn tell_keys(&self) -> Result<(), Failure> {
        let (mut begun, mut revoked) = (BTreeSet::new(), BTreeSet::new());
        let mut after = 0;
        loop {
            let events = self.ports.ledger.events_of(None, after, AT_ONCE).await;
            let events = events.map_err(|error| Failure::of(&error))?;
            let Some(last) = events.last() else {
                break;
            };
            after = last.seq;
            for event in events {
                match event.what {
                    Happening::KeyBegun { key, .. } => drop(begun.insert(key.to_string())),
                    Happening::KeyRevoked { key, from } => {
                        revoked.insert((key.to_string(), from));
                    }
                    _ => {}
                }
            }
        }
        let mut changes = Vec::new();
        let mut previous = None;
        for key in self.ports.keys.keys().await {
            if !begun.contains(&key.id.to_string()) {
                changes.push(Change::KeyBegun {
                    key: key.id,
                    previous,
                });
            }
            if let Some(from) = key.validity.revoked_from
                && !revoked.contains(&(key.id.to_string(), from))
            {
                changes.push(Change::KeyRevoked { key: key.id, from });
            }
            previous = Some(key.id);
        }
        match changes.is_empty() {
            true => Ok(()),
            false => self.record(changes).await,
        }
    }
}

fn known(key: Key) -> KnownKey {
    KnownKey {
        id: key.id,
        public_pem: key.public_pem,
        validity: key.validity,
    }
}

/// Keys and tokens are the platform engineer's.
pub fn require_root(owner: Owner) -> Result<(), Failure> {
    match owner.uid == ROOT {
        true => Ok(()),
        false => Err(
            Failure::new(FailureCode::Forbidden, "only root changes keys and tokens")
                .hint("run the command with `sudo`"),
        ),
    }
}

fn no_key(id: &str, what: &str) -> Failure {
    Failure::new(FailureCode::NotFound, format!("{what} `{id}`"))
        .hint("run `mayfly key list` to see which there are")
}

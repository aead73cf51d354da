//! How an image was built: the SLSA provenance predicate.
//!
//! Source: SLSA 1.1, provenance/v1. The document of [`BUILD_TYPE`] is `docs/build-type.md`.

use std::collections::BTreeMap;

use crate::{Digest, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

/// Names the meaning of `externalParameters` and of the dependencies: a folder that mayfly built.
pub const BUILD_TYPE: &str = "urn:mayfly:build-type:folder:v1";

/// The folder that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Of its content, as the snapshot lists it.
    pub snapshot: Digest,
    /// The commit it was checked out from, when it is a repository's.
    pub commit: Option<Commit>,
}

/// A commit, and whether the folder is still what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Where the repository is, when it has a remote.
    pub repository: Option<String>,
    /// The branch that was checked out, when one was.
    #[serde(default)]
    pub branch: Option<String>,
    /// Its id, in hex.
    pub id: String,
    /// Whether the folder differs from it.
    pub state: FolderState,
}

/// Whether a folder is what its commit says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FolderState {
    /// It is.
    Clean,
    /// Files were changed, added or removed.
    Dirty,
}

/// Who can have meddled with a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// On a server of its own, which those who wrote the app do not administrate.
    Hosted,
    /// On the machine of whoever asked for it. No SLSA level above 1 can be claimed.
    Local,
}

/// What the builder was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builder {
    /// A URI; who verifies decides by it whom to believe.
    pub id: String,
    /// Of mayfly.
    pub version: String,
    /// Where it ran.
    pub placement: Placement,
}

/// Something that went into the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Where it is from: a purl, or a URL.
    pub uri: String,
    /// What people call it.
    pub name: String,
    /// Algorithm and hex digits.
    pub digest: BTreeMap<String, String>,
}

/// One build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The app.
    pub app: String,
    /// What was built.
    pub source: Source,
    /// What the folder and its owner asked for: kind, commands, versions. No secrets.
    pub parameters: BTreeMap<String, String>,
    /// Who built it.
    pub builder: Builder,
    /// Base layers, toolchains and packages.
    pub dependencies: Vec<Dependency>,
    /// The run.
    pub run: RunId,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
}

impl Build {
    /// The predicate. Equal builds make equal bytes, in whichever order the dependencies came.
    pub fn predicate(&self) -> Vec<u8> {
        let predicate = json!({
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "app": self.app,
                    "source": self.source.told(),
                    "parameters": self.parameters,
                },
                "internalParameters": { "placement": self.builder.placement.as_str() },
                "resolvedDependencies": self.resolved(),
            },
            "runDetails": {
                "builder": {
                    "id": self.builder.id,
                    "version": { "mayfly": self.builder.version },
                },
                "metadata": {
                    "invocationId": self.run,
                    "startedOn": self.started_at,
                    "finishedOn": self.finished_at,
                },
            },
        });
        predicate.to_string().into_bytes()
    }

    fn resolved(&self) -> Vec<Value> {
        let mut dependencies: Vec<_> = self.dependencies.iter().collect();
        dependencies.sort_by_key(|one| (&one.uri, &one.name, &one.digest));
        dependencies.dedup();
        let told = dependencies.into_iter().map(Dependency::told);
        self.source.resolved().into_iter().chain(told).collect()
    }
}

impl Source {
    fn told(&self) -> Value {
        let mut told = json!({ "snapshot": self.snapshot });
        if let Some(commit) = &self.commit {
            told["commit"] = commit.id.as_str().into();
            told["dirty"] = (commit.state == FolderState::Dirty).into();
            if let Some(repository) = commit.public_repository() {
                told["repository"] = repository.into();
            }
        }
        told
    }

    /// The folder, and the commit when the folder is just that.
    fn resolved(&self) -> Vec<Value> {
        let folder = json!({
            "uri": "urn:mayfly:snapshot",
            "name": "source",
            "digest": { "sha256": self.snapshot.hex() },
        });
        let clean = self.commit.as_ref();
        let clean = clean.filter(|commit| commit.state == FolderState::Clean);
        let commit = clean.and_then(|commit| {
            let repository = commit.public_repository()?;
            Some(json!({
                "uri": format!("git+{repository}"),
                "name": "repository",
                "digest": { "gitCommit": commit.id },
            }))
        });
        std::iter::once(folder).chain(commit).collect()
    }
}

impl Commit {
    /// The repository without user, password and query: a remote's URL often has a token in it.
    fn public_repository(&self) -> Option<String> {
        let written = self.repository.as_deref()?;
        let written = match Url::parse(written) {
            Ok(url) => url,
            // `git@host:path`, which scp reads.
            Err(_) => {
                let (host, path) = written.split_once(':')?;
                let host = host.rsplit('@').next().unwrap_or(host);
                Url::parse(&format!("ssh://{host}/{}", path.trim_start_matches('/'))).ok()?
            }
        };
        let mut public = Url::parse(&format!("{}://host/", written.scheme())).ok()?;
        public.set_host(written.host_str()).ok()?;
        public.set_port(written.port()).ok()?;
        public.set_path(written.path());
        Some(public.into())
    }
}

impl Placement {
    /// As provenance and policies write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hosted => "hosted",
            Self::Local => "local",
        }
    }
}

impl Dependency {
    fn told(&self) -> Value {
        let mut told = Map::new();
        told.insert("uri".into(), self.uri.as_str().into());
        told.insert("name".into(), self.name.as_str().into());
        if !self.digest.is_empty() {
            told.insert("digest".into(), json!(self.digest));
        }
        told.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(commit: Option<Commit>, placement: Placement) -> Build {
        let dependency = |name: &str| Dependency {
            uri: format!("pkg:pypi/{name}@1.0"),
            name: name.into(),
            digest: BTreeMap::from([("sha256".into(), "ab".repeat(32))]),
        };
        Build {
            app: "shop".into(),
            source: Source {
                snapshot: Digest::of(b"folder"),
                commit,
            },
            parameters: BTreeMap::from([("kind".into(), "flask".into())]),
            builder: Builder {
                id: "urn:mayfly:builder:local".into(),
                version: "0.1.0".into(),
                placement,
            },
            dependencies: vec![
                dependency("flask"),
                dependency("click"),
                dependency("flask"),
            ],
            run: RunId::new(Timestamp::UNIX_EPOCH),
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn told(build: &Build) -> Value {
        serde_json::from_slice(&build.predicate()).expect("JSON")
    }

    fn commit(repository: &str, state: FolderState) -> Option<Commit> {
        Some(Commit {
            repository: Some(repository.into()),
            branch: Some("main".into()),
            id: "c0ffee".into(),
            state,
        })
    }

    #[test]
    fn a_folder_without_a_commit_is_named_by_its_content() {
        let told = told(&build(None, Placement::Local));
        let definition = &told["buildDefinition"];
        let folder = &definition["resolvedDependencies"][0]["digest"]["sha256"];
        assert_eq!(folder, &json!(Digest::of(b"folder").hex()));
        assert_eq!(definition["internalParameters"]["placement"], "local");
        assert!(
            definition["externalParameters"]["source"]
                .get("dirty")
                .is_none()
        );
    }

    #[test]
    fn a_commit_is_a_dependency_only_while_the_folder_is_just_that() {
        for (state, dirty, count) in [
            (FolderState::Clean, false, 4),
            (FolderState::Dirty, true, 3),
        ] {
            let commit = commit("https://git.example/shop.git", state);
            let told = told(&build(commit, Placement::Hosted));
            let definition = &told["buildDefinition"];
            let source = &definition["externalParameters"]["source"];
            assert_eq!(source["dirty"], dirty);
            assert_eq!(source["commit"], "c0ffee");
            let resolved = definition["resolvedDependencies"].as_array();
            assert_eq!(resolved.map(Vec::len), Some(count), "{definition}");
            assert_eq!(definition["internalParameters"]["placement"], "hosted");
        }
    }

    #[test]
    fn a_repositorys_url_gives_no_password_away() {
        for (written, expected) in [
            ("https://git.example/a.git", "https://git.example/a.git"),
            (
                "https://ann:s3cret@git.example:8443/a",
                "https://git.example:8443/a",
            ),
            (
                "https://t0ken@git.example/a?key=s3cret#x",
                "https://git.example/a",
            ),
            ("git@git.example:team/a.git", "ssh://git.example/team/a.git"),
            ("ssh://git@git.example/a", "ssh://git.example/a"),
        ] {
            let commit = commit(written, FolderState::Clean).expect("a commit");
            assert_eq!(commit.public_repository().as_deref(), Some(expected));
        }
        let nonsense = commit("nonsense", FolderState::Clean).expect("a commit");
        assert_eq!(nonsense.public_repository(), None);
    }

    #[test]
    fn equal_builds_make_equal_bytes_in_whichever_order_the_dependencies_came() {
        let one = build(None, Placement::Local);
        let mut other = one.clone();
        other.dependencies.reverse();
        assert_eq!(one.predicate(), other.predicate());
    }
}

//! From what an app asks for to a lock.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use model::Digest;
use model::failure::Failure;

use crate::layer::LayerError;
use crate::recipe::job::{Command, Done, read, write};
use crate::recipe::kit::{Kit, Order};
use crate::recipe::python::complaint::{Complaint, complaint, failure};
use crate::recipe::python::lock::{Lock, Source, sources, with_sources};
use crate::recipe::python::sources::{self as from_source, Chosen};
use crate::recipe::python::wheel::{Bench, LINKS};
use crate::recipe::python::{Ground, ground, installer};
use crate::recipe::{PythonPackages, PythonRecipe};
use crate::tools::Sdist;

/// Resolves requirements; a lock from before keeps the versions that still fit.
const COMPILE: &str = "
/mayfly/uv pip compile requirements.in --output-file pylock.toml --only-binary :all: --python /usr/bin/python3 --no-header --no-annotate --quiet
";
/// Takes the versions of an app's own uv.lock.
const EXPORT: &str = "
/mayfly/uv export --project project --format pylock.toml --frozen --no-dev --no-emit-project --no-header --quiet --python /usr/bin/python3 --output-file pylock.toml
";

/// A lock, and more inputs to keep.
pub(super) struct Resolved {
    pub(super) lock: Lock,
    pub(super) pins: BTreeMap<String, Vec<u8>>,
}

/// What one try came to.
pub(super) enum Tried {
    Locked(String),
    Refused(Complaint, Done),
}

/// What is asked for, and who asks.
pub(super) struct Ask<'a, 'o> {
    pub(super) kit: &'a Kit,
    pub(super) order: &'a Order<'o>,
    pub(super) recipe: &'a PythonRecipe,
    /// The lock of an earlier build.
    pub(super) before: Option<Lock>,
}

/// Resolves the packages for the first version of Python that all of them have wheels for. When
/// there is none, those that have no wheel are built.
pub(super) async fn resolve(ask: &Ask<'_, '_>, input: Digest) -> Result<Resolved, Failure> {
    let list = ask.list();
    let mut refused: Option<(String, (Complaint, Done))> = None;
    let versions = ask.recipe.version.candidates();
    for version in &versions {
        let ground = ground(ask.kit, ask.order, version).await?;
        match ask.attempt(&ground, None).await? {
            Tried::Locked(text) => {
                if let Some((newer, _)) = &refused {
                    ask.says(version, newer);
                }
                let chosen = from_source::build_locked(ask, &ground, text).await?;
                return Ok(resolved(chosen, input));
            }
            Tried::Refused(complaint @ Complaint::NoWheel(_), done) => {
                refused.get_or_insert(((*version).to_owned(), (complaint, done)));
            }
            Tried::Refused(complaint, done) => {
                return Err(failure(ask.order, &complaint, &done, &list));
            }
        }
    }
    // There is at least one version to try, and each of them was refused.
    let Some((newest, refused)) = refused else {
        return Err(Failure::new(
            model::FailureCode::Internal,
            "no version of Python was tried",
        ));
    };
    let chosen = from_source::resolve(ask, &versions, refused).await?;
    if chosen.version != newest {
        ask.says(&chosen.version, &newest);
    }
    Ok(resolved(chosen, input))
}

fn resolved(chosen: Chosen, input: Digest) -> Resolved {
    let text = match chosen.sources.is_empty() {
        true => chosen.text,
        false => with_sources(&chosen.text, &chosen.sources),
    };
    Resolved {
        lock: Lock {
            python: chosen.version,
            input,
            text,
        },
        pins: chosen.pins,
    }
}

impl<'a, 'o> Ask<'a, 'o> {
    /// Where the packages are listed, for people.
    pub(super) fn list(&self) -> String {
        match &self.recipe.packages {
            PythonPackages::Listed {
                file: Some(file), ..
            } => file.clone(),
            PythonPackages::UvLock { .. } => "uv.lock".into(),
            _ => "the code".into(),
        }
    }

    /// Where packages of this app are built.
    pub(super) fn bench<'g>(&self, ground: &'g Ground) -> Bench<'g, 'o>
    where
        'a: 'g,
    {
        Bench {
            kit: self.kit,
            order: self.order,
            ground,
        }
    }

    /// A source archive with the tools that it was built with before.
    pub(super) fn source_of(&self, sdist: Sdist) -> Source {
        let before = self.before.as_ref().map(|lock| sources(&lock.text));
        let same =
            |source: &Source| source.sdist.sha256.is_some() && source.sdist.sha256 == sdist.sha256;
        let found = before.into_iter().flatten().find(same);
        Source {
            tools: found.and_then(|source| source.tools),
            sdist,
        }
    }

    fn says(&self, version: &str, newer: &str) {
        self.order.progress.notice(&format!(
            "Python {version} is used: the packages of {} have no wheels for {newer}",
            self.list()
        ));
    }

    /// Asks the installer for a lock, from wheels only: those of the registry and those in `links`.
    pub(super) async fn attempt(
        &self,
        ground: &Ground,
        links: Option<&Path>,
    ) -> Result<Tried, Failure> {
        let kit = self.kit;
        let work = kit.packer.scratch().map_err(Failure::from)?;
        let script = match self.prepare(work.path(), ground)? {
            Some(script) => script,
            None => return Ok(Tried::Locked(String::new())),
        };
        let uv = kit.tools.uv().await?;
        let step = format!("resolve Python packages for {}", ground.version);
        let mut job = Command {
            step: &step,
            layers: vec![ground.base.packed.dir.clone()],
            script,
            workdir: "/job",
            ..installer(kit, &uv, "/job/.cache")
        };
        job.binds.push(write(work.path(), "/job"));
        if let Some(links) = links {
            job.binds.push(read(links, LINKS));
            job.env.insert("UV_FIND_LINKS".into(), LINKS.into());
        }
        if matches!(self.recipe.packages, PythonPackages::UvLock { .. }) {
            let project = self.order.source.root.join(&self.recipe.folder);
            for name in ["pyproject.toml", "uv.lock"] {
                let inside = format!("/job/project/{name}");
                job.binds.push(read(project.join(name), inside));
            }
        }
        let done = kit.runner(self.order).run(job).await?;
        if !done.report.succeeded() {
            return Ok(Tried::Refused(complaint(&done), done));
        }
        let path = work.path().join("pylock.toml");
        let text = fs::read_to_string(&path).map_err(|cause| LayerError::at(path)(cause))?;
        Ok(Tried::Locked(text))
    }

    /// Puts what the installer reads into `work`; its script, when there is something to ask.
    fn prepare(&self, work: &Path, ground: &Ground) -> Result<Option<&'static str>, Failure> {
        let put = |name: &str, text: &[u8]| -> Result<(), Failure> {
            let path = work.join(name);
            fs::write(&path, text).map_err(|cause| LayerError::at(path)(cause).into())
        };
        match &self.recipe.packages {
            PythonPackages::None => Ok(None),
            PythonPackages::UvLock { .. } => Ok(Some(EXPORT)),
            PythonPackages::Listed { lines, .. } => {
                put("requirements.in", (lines.join("\n") + "\n").as_bytes())?;
                let before = self.before.as_ref();
                if let Some(before) = before.filter(|lock| lock.python == ground.version) {
                    put("pylock.toml", before.text.as_bytes())?;
                }
                Ok(Some(COMPILE))
            }
        }
    }
}

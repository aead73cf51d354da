//! From what an app asks for to a lock.

use std::fs;

use model::Digest;
use model::failure::Failure;

use crate::layer::LayerError;
use crate::recipe::job::{Command, Done, read, write};
use crate::recipe::kit::{Kit, Order};
use crate::recipe::python::complaint::{Complaint, complaint, failure};
use crate::recipe::python::lock::Lock;
use crate::recipe::python::{Ground, ground, installer};
use crate::recipe::{PythonPackages, PythonRecipe};

/// Resolves requirements; a lock from before keeps the versions that still fit.
const COMPILE: &str = "
/mayfly/uv pip compile requirements.in --output-file pylock.toml --only-binary :all: --python /usr/bin/python3 --no-header --no-annotate --quiet
";
/// Takes the versions of an app's own uv.lock.
const EXPORT: &str = "
/mayfly/uv export --project project --format pylock.toml --frozen --no-dev --no-emit-project --no-header --quiet --python /usr/bin/python3 --output-file pylock.toml
";

/// What one try came to.
enum Tried {
    Locked(String),
    Refused(Complaint, Done),
}

/// Resolves the packages for the first version of Python that all of them have wheels for.
pub(super) async fn resolve(
    kit: &Kit,
    order: &Order<'_>,
    recipe: &PythonRecipe,
    input: Digest,
    before: Option<Lock>,
) -> Result<Lock, Failure> {
    let list = list_of(recipe);
    let mut refused = None;
    for version in recipe.version.candidates() {
        let ground = ground(kit, order, version).await?;
        let old = before.as_ref().filter(|lock| lock.python == version);
        let tried = attempt(kit, order, recipe, &ground, old).await?;
        match tried {
            Tried::Locked(text) => {
                if let Some((newer, _, _)) = &refused {
                    order.progress.notice(&format!(
                        "Python {version} is used: the packages of {list} have no wheels for {newer}"
                    ));
                }
                return Ok(Lock {
                    python: version.to_owned(),
                    input,
                    text,
                });
            }
            Tried::Refused(complaint @ Complaint::NoWheel(_), done) => {
                refused.get_or_insert((version.to_owned(), complaint, done));
            }
            Tried::Refused(complaint, done) => return Err(failure(&complaint, &done, &list)),
        }
    }
    // There is at least one version to try, and each of them was refused.
    let (complaint, done) = refused.map_or_else(
        || (Complaint::NoWheel(None), None),
        |(_, complaint, done)| (complaint, Some(done)),
    );
    Err(match done {
        Some(done) => failure(&complaint, &done, &list),
        None => Failure::new(
            model::FailureCode::Internal,
            "no version of Python was tried",
        ),
    })
}

fn list_of(recipe: &PythonRecipe) -> String {
    match &recipe.packages {
        PythonPackages::Listed {
            file: Some(file), ..
        } => file.clone(),
        PythonPackages::UvLock { .. } => "uv.lock".into(),
        _ => "the code".into(),
    }
}

async fn attempt(
    kit: &Kit,
    order: &Order<'_>,
    recipe: &PythonRecipe,
    ground: &Ground,
    before: Option<&Lock>,
) -> Result<Tried, Failure> {
    let work = kit.packer.scratch().map_err(Failure::from)?;
    let put = |name: &str, text: &[u8]| -> Result<(), Failure> {
        let path = work.path().join(name);
        fs::write(&path, text).map_err(|cause| LayerError::at(path)(cause).into())
    };
    let uv = kit.tools.uv().await?;
    let mut binds = vec![write(work.path(), "/work")];
    let script = match &recipe.packages {
        PythonPackages::UvLock { .. } => {
            let project = order.source.root.join(&recipe.folder);
            for name in ["pyproject.toml", "uv.lock"] {
                binds.push(read(project.join(name), format!("/work/project/{name}")));
            }
            EXPORT
        }
        PythonPackages::Listed { lines, .. } => {
            put("requirements.in", (lines.join("\n") + "\n").as_bytes())?;
            if let Some(before) = before {
                put("pylock.toml", before.text.as_bytes())?;
            }
            COMPILE
        }
        PythonPackages::None => return Ok(Tried::Locked(String::new())),
    };
    let step = format!("resolve Python packages for {}", ground.version);
    let mut job = Command {
        step: &step,
        layers: vec![ground.base.packed.dir.clone()],
        script,
        workdir: "/work",
        ..installer(kit, &uv, "/work/.cache")
    };
    job.binds.extend(binds);
    let done = kit.runner(order).run(job).await?;
    if !done.report.succeeded() {
        return Ok(Tried::Refused(complaint(&done), done));
    }
    let path = work.path().join("pylock.toml");
    let text = fs::read_to_string(&path).map_err(|cause| LayerError::at(path)(cause))?;
    Ok(Tried::Locked(text))
}

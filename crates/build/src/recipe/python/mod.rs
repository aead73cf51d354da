//! Python: packages resolved once, installed from wheels by their hashes, compiled ahead.

mod complaint;
mod for_tests;
mod lock;
mod requested;
mod resolve;
mod sources;
mod system;
mod wheel;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use model::failure::{Failure, FailureCode};
use model::image::LayerKind;
use model::serving::Process;

use crate::debian::{Base, BaseKind};
use crate::layer::{LayerError, PackedLayer};
use crate::recipe::admission;
use crate::recipe::job::{Command, program, read, write};
use crate::recipe::kit::{Kit, Order, certificates, key, registries_only, version_of};
use crate::recipe::python::lock::Lock;
use crate::recipe::python::resolve::Ask;
use crate::recipe::python::wheel::{Bench, LINKS};
use crate::recipe::start::process;
use crate::recipe::{PythonPackages, PythonRecipe};

pub(super) use for_tests::{for_tests, variables as variables_of_tests};

/// Where packages lie in images.
const ENVIRONMENT: &str = "/opt/venv";

/// The layers of a Python app below its own.
pub(super) struct Made {
    /// Lowest first.
    pub(super) layers: Vec<PackedLayer>,
    /// The inputs to keep.
    pub(super) pins: BTreeMap<String, Vec<u8>>,
    /// Whether all of it was there.
    pub(super) cached: bool,
    /// The Python that it got.
    pub(super) version: String,
    ground: Ground,
    lock: Option<Lock>,
}

/// A base of a version, with what installers need.
struct Ground {
    version: String,
    base: Base,
}

/// Makes the base and the packages.
pub(super) async fn make(
    kit: &Kit,
    order: &Order<'_>,
    recipe: &PythonRecipe,
) -> Result<Made, Failure> {
    let pinned = order
        .pins
        .get(lock::PIN)
        .and_then(|pin| Lock::from_pin(pin));
    let uv_lock = uv_lock(order, recipe);
    let input = lock::input_of(&recipe.packages, uv_lock.as_deref());
    if recipe.packages == PythonPackages::None {
        let version = recipe.version.candidates()[0].to_owned();
        let ground = ground(kit, order, &version).await?;
        return Ok(Made {
            pins: [base_pin(&ground)].into(),
            cached: ground.base.cached,
            layers: vec![ground.base.packed.clone()],
            version,
            ground,
            lock: None,
        });
    }
    let fits = |lock: &Lock| {
        lock.input == input && recipe.version.candidates().contains(&lock.python.as_str())
    };
    if pinned.as_ref().is_none_or(|lock| !fits(lock)) {
        // Fetched side by side; the steps below find both.
        let first = recipe.version.candidates()[0];
        let (ground, uv) = tokio::join!(ground(kit, order, first), kit.tools.uv());
        ground?;
        uv?;
    }
    let (lock, more, resolved) = match pinned.clone().filter(fits) {
        Some(lock) => (lock, compilers(order), false),
        None => {
            let ask = Ask {
                kit,
                order,
                recipe,
                before: pinned,
            };
            let resolved = resolve::resolve(&ask, input).await?;
            (resolved.lock, resolved.pins, true)
        }
    };
    // Asked whatever is cached: what is known about packages changes.
    admission::admit(order, &requested::of_app(order, recipe, &lock.text)).await?;
    let ground = ground(kit, order, &lock.python).await?;
    let packages = packages(kit, order, &ground, &lock, Environment::App).await?;
    let mut pins = BTreeMap::from([base_pin(&ground), (lock::PIN.to_owned(), lock.to_pin())]);
    pins.extend(more);
    pins.extend(packages.pins);
    let (packages, cached) = (packages.layer, packages.cached);
    Ok(Made {
        pins,
        cached: ground.base.cached && cached && !resolved,
        layers: vec![ground.base.packed.clone(), packages],
        version: ground.version.clone(),
        ground,
        lock: Some(lock),
    })
}

fn uv_lock(order: &Order<'_>, recipe: &PythonRecipe) -> Option<Vec<u8>> {
    let wants = matches!(recipe.packages, PythonPackages::UvLock { .. });
    let path = order.source.root.join(&recipe.folder).join("uv.lock");
    wants.then(|| fs::read(path).ok()).flatten()
}

async fn ground(kit: &Kit, order: &Order<'_>, version: &str) -> Result<Ground, Failure> {
    let kind = match version {
        "3.13" => BaseKind::Python313,
        "3.11" => BaseKind::Python311,
        other => {
            return Err(Failure::new(
                FailureCode::NotSupported,
                format!("there is no base image for Python {other}"),
            ));
        }
    };
    let pin = order.pins.get(&pin_name(version)).map(Vec::as_slice);
    let packages = &order.plan.packages;
    let base = kit.bases.base(kind, packages, pin, order.progress).await?;
    Ok(Ground {
        version: version.to_owned(),
        base,
    })
}

fn pin_name(version: &str) -> String {
    format!("base.python-{version}")
}

/// The pylock.toml of a pin.
pub(crate) fn packages_of(pin: &[u8]) -> Option<String> {
    Lock::from_pin(pin).map(|lock| lock.text)
}

fn base_pin(ground: &Ground) -> (String, Vec<u8>) {
    (pin_name(&ground.version), ground.base.pin.clone())
}

/// The pins of compilers that an earlier build had: they are kept as long as the lock is.
fn compilers(order: &Order<'_>) -> BTreeMap<String, Vec<u8>> {
    let pins = order.pins.iter();
    pins.filter(|(name, _)| name.starts_with(wheel::COMPILERS_PIN))
        .map(|(name, pin)| (name.clone(), pin.clone()))
        .collect()
}

/// All packages.
struct Packages {
    layer: PackedLayer,
    pins: BTreeMap<String, Vec<u8>>,
    cached: bool,
}

/// Who has packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Environment {
    /// The image.
    App,
    /// Its tests alone.
    Tests,
}

impl Environment {
    fn path(self) -> &'static str {
        match self {
            Self::App => ENVIRONMENT,
            Self::Tests => for_tests::ENVIRONMENT,
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::App => "python packages",
            Self::Tests => "python packages of tests",
        }
    }
}

/// The layer with all packages, found or installed. They have been admitted.
async fn packages(
    kit: &Kit,
    order: &Order<'_>,
    ground: &Ground,
    lock: &Lock,
    environment: Environment,
) -> Result<Packages, Failure> {
    let base = ground.base.packed.layer.diff_id.to_string();
    let uv = kit.tools.uv().await?;
    let key = key(&[environment.what(), &lock.text, &base, &version_of(&uv)]);
    if let Some(found) = kit.packer.recall(&key).await {
        return Ok(Packages {
            layer: found,
            pins: BTreeMap::new(),
            cached: true,
        });
    }
    let scratch = kit.packer.scratch().map_err(Failure::from)?;
    let opt = scratch.path().join("opt");
    fs::create_dir(&opt).map_err(|cause| LayerError::at(&opt)(cause))?;
    let lock_file = kit.packer.scratch().map_err(Failure::from)?;
    let lock_path = lock_file.path().join("pylock.toml");
    let links = lock_file.path().join("links");
    fs::create_dir(&links).map_err(|cause| LayerError::at(&links)(cause))?;
    let (text, pins) = build_missing(kit, order, ground, lock, &links).await?;
    fs::write(&lock_path, text).map_err(|cause| LayerError::at(&lock_path)(cause))?;
    let step = format!("install {} Python packages", lock.packages());
    let script = INSTALL.replace(ENVIRONMENT, environment.path());
    let mut job = Command {
        step: &step,
        layers: vec![ground.base.packed.dir.clone()],
        script: &script,
        workdir: "/opt",
        ..installer(kit, &uv, "/opt/.cache")
    };
    job.binds.push(read(&lock_path, "/mayfly/lock/pylock.toml"));
    job.binds.push(read(&links, LINKS));
    job.binds.push(write(&opt, "/opt"));
    let done = kit.runner(order).run(job).await?;
    if !done.report.succeeded() {
        let complaint = complaint::complaint(&done);
        return Err(complaint::failure(order, &complaint, &done, "the lock"));
    }
    let layer = kit.packer.adopt(LayerKind::Dependencies, scratch).await?;
    kit.packer.remember(&key, &layer)?;
    Ok(Packages {
        layer,
        pins,
        cached: false,
    })
}

/// Puts wheels of all packages that the registry has only the source of into `links`; returns the
/// lock that installs them from there, and more inputs to keep.
async fn build_missing(
    kit: &Kit,
    order: &Order<'_>,
    ground: &Ground,
    lock: &Lock,
    links: &Path,
) -> Result<(String, BTreeMap<String, Vec<u8>>), Failure> {
    let bench = Bench { kit, order, ground };
    let (mut locals, mut pins) = (Vec::new(), BTreeMap::new());
    for source in lock::sources(&lock.text) {
        let wheel = bench.provide(&source).await?;
        locals.push(wheel.link_into(links)?);
        pins.extend(wheel.pins);
    }
    let text = match locals.is_empty() {
        true => lock.text.clone(),
        false => lock::with_wheels(&lock.text, &locals),
    };
    Ok((text, pins))
}

/// Installs from wheels only: nothing of the packages runs. The installer notes the time of a wheel
/// that lies on the machine; that is taken out again. The interpreter that compiles them
/// ahead is the base's own, isolated, so that it reads no `.pth` file of theirs.
const INSTALL: &str = r#"
/mayfly/uv venv --quiet --python /usr/bin/python3 /opt/venv
/mayfly/uv pip install --preview-features pylock --python /opt/venv/bin/python --no-deps --no-build --link-mode hardlink -r /mayfly/lock/pylock.toml
for note in /opt/venv/lib/python*/site-packages/*.dist-info/uv_cache.json; do
  [ -e "$note" ] || continue
  rm "$note"
  sed -i '/uv_cache\.json,/d' "${note%/*}/RECORD"
done
rm -rf /opt/.cache /opt/venv/.lock /opt/venv/.gitignore /opt/venv/CACHEDIR.TAG /opt/venv/bin/activate* /opt/venv/bin/*.bat
/usr/bin/python3 -I -S -m compileall -q -j2 --invalidation-mode unchecked-hash /opt/venv/lib >/dev/null 2>&1 || true
"#;

/// A job that runs the installer, with everything from the machine's registries and nothing else
/// from the network.
///
/// Its cache is the job's own and goes with it. One for all apps would save downloads, but could not
/// be trusted: the installer files what it fetched under a package's name and version, and an app's
/// own uv.lock says where these are fetched from. The next app without a lock would take its
/// dependencies from the metadata that this one left. A job also gets what it may write as its own
/// (its user, its share of the disk), which a folder in use by two jobs cannot be. What is shared is
/// addressed by hash: the layer of a lock, and wheels that were built here.
fn installer<'a>(kit: &Kit, uv: &Path, cache: &str) -> Command<'a> {
    let (mut binds, mut env) = certificates();
    binds.push(program(uv, "uv"));
    let registries = kit.tools.registries();
    let extra = registries.python_extra.join(" ");
    let settings = [
        ("UV_CACHE_DIR", cache),
        ("UV_DEFAULT_INDEX", &registries.python),
        ("UV_INDEX", &extra),
        ("UV_PYTHON_DOWNLOADS", "never"),
        ("UV_NO_CONFIG", "1"),
        ("UV_NO_PROGRESS", "1"),
        ("UV_HTTP_TIMEOUT", "30"),
        ("PYTHONHASHSEED", "0"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ];
    let settings = settings.into_iter().filter(|(_, value)| !value.is_empty());
    env.extend(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
    Command {
        step: "",
        layers: vec![],
        binds,
        script: "",
        env,
        workdir: "/",
        network: registries_only(&kit.tools),
    }
}

/// How the server of a Python app runs.
pub(super) fn serve(recipe: &PythonRecipe) -> Process {
    let env = [
        (
            "PATH",
            format!("{ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin"),
        ),
        ("PYTHONUNBUFFERED", "1".to_owned()),
        ("PYTHONDONTWRITEBYTECODE", "1".to_owned()),
    ];
    let mut env: BTreeMap<String, String> =
        env.map(|(name, value)| (name.to_owned(), value)).into();
    if recipe.packages != PythonPackages::None {
        env.insert("VIRTUAL_ENV".into(), ENVIRONMENT.into());
    }
    process(&recipe.folder, &recipe.start, env)
}

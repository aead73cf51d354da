//! Wheels of packages that come as source: built without a network, once for all apps of this
//! machine.
//!
//! A source archive and the wheels that it is built with are fetched without running them. What
//! code they have runs in jobs that reach nothing and see nothing of an app, because what was built
//! for one app is used for others. The key of a wheel has its archive's hash, the version of Python
//! and the base. The tools that built it are kept beside it: an app that has none locked yet takes
//! them into its lock, and one that has locked others builds its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

use model::Digest;
use model::failure::{Failure, FailureCode};
use ports::workshop::{Bind, Network};
use regex::Regex;

use super::lock::{Local, Source};
use super::{Ground, installer, requested};
use crate::debian::{Base, BaseKind};
use crate::detect::canonical;
use crate::layer::{LayerError, Scratch};
use crate::recipe::admission;
use crate::recipe::build::is_folder;
use crate::recipe::job::{Command, Done, network_failure, read, write};
use crate::recipe::kit::{Kit, Order, key};
use crate::recipe::python::system::BuildSystem;
use crate::tools::Sdist;

/// A folder of wheels that were built here, in the jobs that install them.
pub(super) const LINKS: &str = "/mayfly/links";

const STEPS: &str = include_str!("steps.py");
/// How often a backend may ask for more tools than it did before.
const ROUNDS: usize = 3;

/// Chooses what a package is built with.
const LOCK_TOOLS: &str = "
/mayfly/uv pip compile tools.in --output-file pylock.toml --only-binary :all: --python /usr/bin/python3 --no-header --no-annotate --quiet
";
/// Fetches what a package is built with: wheels only, so that nothing of it runs.
const FETCH_TOOLS: &str = "
/mayfly/uv venv --quiet --python /usr/bin/python3 env
/mayfly/uv pip install --quiet --preview-features pylock --python env/bin/python --no-deps --no-build --link-mode hardlink -r pylock.toml
rm -rf .cache
";
const UNPACK: &str = "/usr/bin/python3 -I /mayfly/steps.py unpack /mayfly/archive/* /job";
const REQUIRES: &str = "/job/env/bin/python -P /mayfly/steps.py requires /out/requires.json";
const WHEEL: &str = "/job/env/bin/python -P /mayfly/steps.py wheel /out";

/// A wheel that was built here.
#[derive(Debug, Clone)]
pub(super) struct Wheel {
    /// Its name.
    pub(super) file: String,
    bytes: Vec<u8>,
    /// What it was built from, with everything that decides about it.
    pub(super) source: Source,
    /// More inputs to keep.
    pub(super) pins: BTreeMap<String, Vec<u8>>,
}

impl Wheel {
    /// Copies it to the folder that jobs find as [`LINKS`].
    pub(super) fn link_into(&self, links: &Path) -> Result<Local, Failure> {
        let target = links.join(&self.file);
        fs::write(&target, &self.bytes).map_err(|cause| LayerError::at(target)(cause))?;
        Ok(Local {
            package: self.source.sdist.package.clone(),
            url: format!("file://{LINKS}/{}", self.file),
            sha256: Digest::of(&self.bytes).hex(),
        })
    }
}

/// Where wheels are built, for one version of Python.
pub(super) struct Bench<'a, 'o> {
    pub(super) kit: &'a Kit,
    pub(super) order: &'a Order<'o>,
    pub(super) ground: &'a Ground,
}

impl Bench<'_, '_> {
    /// The wheel of a package, built when no app had it before.
    pub(super) async fn provide(&self, source: &Source) -> Result<Wheel, Failure> {
        let mut source = source.clone();
        if source.sdist.sha256.is_none() {
            let bytes = self.kit.tools.sdist(&source.sdist).await?;
            source.sdist.sha256 = Some(Digest::of(&bytes).hex());
        }
        let _turn = self.kit.wheels.turn(self.key(&source.sdist)).await;
        let step = format!("use the wheel that was built of {}", name_of(&source.sdist));
        if let Some(kept) = self.kept(&source) {
            self.order.progress.step_started(&step);
            self.order.progress.step_done(&step, 0.0, true);
            return Ok(kept);
        }
        // Its build is the first code of it that runs.
        let sdist = &source.sdist;
        let package = requested::of_source(&sdist.package, &sdist.version);
        admission::admit(self.order, &[package]).await?;
        self.build(source).await
    }

    fn key(&self, sdist: &Sdist) -> Digest {
        key(&[
            "python wheel",
            &sdist.package,
            &sdist.version,
            sdist.sha256.as_deref().unwrap_or_default(),
            &self.ground.version,
            &self.ground.base.packed.layer.diff_id.to_string(),
        ])
    }

    fn folder_of(&self, sdist: &Sdist) -> PathBuf {
        self.kit.wheels.folder.join(self.key(sdist).hex())
    }

    /// What an earlier build kept; counts as a use of it.
    fn kept(&self, source: &Source) -> Option<Wheel> {
        let folder = self.folder_of(&source.sdist);
        let tools = fs::read_to_string(folder.join(TOOLS)).ok()?;
        if source.tools.as_ref().is_some_and(|locked| *locked != tools) {
            return None;
        }
        let path = wheel_in(&folder, &source.sdist)?;
        let bytes = fs::read(&path).ok()?;
        let used = File::options().append(true).open(&path).ok()?;
        used.set_modified(SystemTime::now()).ok()?;
        let compilers = fs::read(folder.join(COMPILERS)).ok();
        Some(Wheel {
            file: file_name(&path),
            bytes,
            source: Source {
                tools: Some(tools),
                ..source.clone()
            },
            pins: self.pins(compilers),
        })
    }

    fn pins(&self, compilers: Option<Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
        let pin = compilers.map(|pin| (compilers_pin(&self.ground.version), pin));
        pin.into_iter().collect()
    }

    async fn build(&self, source: Source) -> Result<Wheel, Failure> {
        let work = self.kit.packer.scratch()?;
        let steps = work.path().join("steps.py");
        write_file(&steps, STEPS.as_bytes())?;
        self.unpack(&source.sdist, work.path(), &steps).await?;
        let folder = work.path().join("unpacked/source");
        // A link would lead out of the sandbox when it is bound into the next one.
        if !is_folder(&folder) {
            return Err(unfit(&source.sdist, "its source archive holds no folder"));
        }
        let system = BuildSystem::read(&folder).map_err(|why| unfit(&source.sdist, &why))?;
        let compilers = match has_native_code(&folder) {
            true => Some(self.compilers().await?),
            false => None,
        };
        let base = compilers.as_ref().unwrap_or(&self.ground.base);
        let attempt = Attempt {
            bench: self,
            sdist: &source.sdist,
            system: &system,
            steps: &steps,
            folder: &folder,
            layers: vec![base.packed.dir.clone()],
        };
        let (tools, out) = match source.tools.clone() {
            Some(locked) => attempt.with_locked(locked).await?,
            None => attempt.with_what_it_asks_for().await?,
        };
        let built = wheel_in(out.path(), &source.sdist);
        let built = built.ok_or_else(|| unfit(&source.sdist, "its build made no wheel of it"))?;
        let bytes = fs::read(&built).map_err(|cause| LayerError::at(&built)(cause))?;
        let wheel = (file_name(&built), bytes);
        let compilers = compilers.map(|base| base.pin);
        let kept = self.folder_of(&source.sdist);
        keep(&kept, &wheel, &tools, compilers.as_deref())?;
        let (file, bytes) = wheel;
        Ok(Wheel {
            file,
            bytes,
            source: Source {
                tools: Some(tools),
                ..source
            },
            pins: self.pins(compilers),
        })
    }

    /// Unpacked in a job: an archive may be made to harm who unpacks it.
    async fn unpack(&self, sdist: &Sdist, work: &Path, steps: &Path) -> Result<(), Failure> {
        let bytes = self.kit.tools.sdist(sdist).await?;
        let (archive, unpacked) = (work.join("archive"), work.join("unpacked"));
        for folder in [&archive, &unpacked] {
            fs::create_dir(folder).map_err(|cause| LayerError::at(folder)(cause))?;
        }
        let name = if sdist.file.ends_with(".zip") {
            "source.zip"
        } else {
            "source.tar.gz"
        };
        write_file(&archive.join(name), &bytes)?;
        let step = format!("unpack {}", name_of(sdist));
        let command = Command {
            step: &step,
            layers: vec![self.ground.base.packed.dir.clone()],
            binds: vec![
                read(archive, "/mayfly/archive"),
                read(steps, "/mayfly/steps.py"),
                write(unpacked, "/job"),
            ],
            script: UNPACK,
            env: BTreeMap::new(),
            workdir: "/job",
            network: Network::None,
        };
        let done = self.kit.runner(self.order).run(command).await?;
        match done.report.succeeded() {
            true => Ok(()),
            false => Err(done.explain(unfit(sdist, "its source archive cannot be unpacked"))),
        }
    }

    async fn compilers(&self) -> Result<Base, Failure> {
        let kind = match self.ground.version.as_str() {
            "3.11" => BaseKind::PythonCompiler311,
            _ => BaseKind::PythonCompiler313,
        };
        let pin = self.order.pins.get(&compilers_pin(&self.ground.version));
        let (pin, packages) = (pin.map(Vec::as_slice), &self.order.plan.packages);
        let bases = &self.kit.bases;
        bases.base(kind, packages, pin, self.order.progress).await
    }
}

/// How the names of the pins of compilers begin.
pub(super) const COMPILERS_PIN: &str = "base.compiler-python-";

fn compilers_pin(version: &str) -> String {
    format!("{COMPILERS_PIN}{version}")
}

/// One build of one package.
struct Attempt<'a, 'b, 'o> {
    bench: &'a Bench<'b, 'o>,
    sdist: &'a Sdist,
    system: &'a BuildSystem,
    steps: &'a Path,
    /// The unpacked source.
    folder: &'a Path,
    layers: Vec<PathBuf>,
}

impl Attempt<'_, '_, '_> {
    /// Builds with tools of exactly these versions.
    async fn with_locked(&self, lock: String) -> Result<(String, Scratch), Failure> {
        let tools = self.fetch(&[("pylock.toml", lock.as_bytes())]).await?;
        let out = self.run("build", WHEEL, tools.path()).await?;
        Ok((lock, out))
    }

    /// Builds with the newest tools that the package's own list allows, and what its backend asks
    /// for beyond it.
    async fn with_what_it_asks_for(&self) -> Result<(String, Scratch), Failure> {
        let mut wanted = self.system.requires.clone();
        for _ in 0..ROUNDS {
            let list = wanted.join("\n") + "\n";
            let tools = self.fetch(&[("tools.in", list.as_bytes())]).await?;
            let asked = self.run("prepare", REQUIRES, tools.path()).await?;
            let more = answer(&asked.path().join("requires.json"));
            let more = more.map_err(|why| unfit(self.sdist, &why))?;
            let before = wanted.len();
            wanted.extend(more);
            wanted.sort();
            wanted.dedup();
            if wanted.len() == before {
                let path = tools.path().join("pylock.toml");
                let lock = fs::read_to_string(&path);
                let lock = lock.map_err(|cause| LayerError::at(path)(cause))?;
                let out = self.run("build", WHEEL, tools.path()).await?;
                return Ok((lock, out));
            }
        }
        Err(unfit(self.sdist, "its build asks for ever more tools"))
    }

    /// A folder with the tools in `env` and their lock.
    async fn fetch(&self, files: &[(&str, &[u8])]) -> Result<Scratch, Failure> {
        let kit = self.bench.kit;
        let work = kit.packer.scratch()?;
        for (name, bytes) in files {
            write_file(&work.path().join(name), bytes)?;
        }
        let lock = work.path().join("pylock.toml");
        if !lock.exists() {
            let step = format!("choose what {} is built with", name_of(self.sdist));
            self.with_uv(&step, LOCK_TOOLS, work.path()).await?;
        }
        let text = fs::read_to_string(&lock).map_err(|cause| LayerError::at(&lock)(cause))?;
        admission::admit(self.bench.order, &requested::of_tools(&text)).await?;
        let step = format!("fetch what {} is built with", name_of(self.sdist));
        self.with_uv(&step, FETCH_TOOLS, work.path()).await?;
        Ok(work)
    }

    async fn with_uv(&self, step: &str, script: &str, work: &Path) -> Result<(), Failure> {
        let kit = self.bench.kit;
        let uv = kit.tools.uv().await?;
        let mut command = Command {
            step,
            layers: vec![self.bench.ground.base.packed.dir.clone()],
            script,
            workdir: "/job",
            ..installer(kit, &uv, "/job/.cache")
        };
        command.binds.push(write(work, "/job"));
        let done = kit.runner(self.bench.order).run(command).await?;
        if done.report.succeeded() {
            return Ok(());
        }
        Err(network_failure(&done, "Python").unwrap_or_else(|| {
            done.explain(unfit(self.sdist, "what it is built with cannot be fetched"))
        }))
    }

    /// Runs a step of the build; returns the folder that it wrote to.
    async fn run(&self, what: &str, script: &str, tools: &Path) -> Result<Scratch, Failure> {
        let kit = self.bench.kit;
        let out = kit.packer.scratch()?;
        let step = format!("{what} {}", name_of(self.sdist));
        let command = Command {
            step: &step,
            layers: self.layers.clone(),
            binds: self.binds(tools, out.path()),
            script,
            env: self.env(),
            workdir: "/build",
            network: Network::None,
        };
        let done = kit.runner(self.bench.order).run(command).await?;
        match done.report.succeeded() {
            true => Ok(out),
            false => Err(failure(&done, self.sdist)),
        }
    }

    fn binds(&self, tools: &Path, out: &Path) -> Vec<Bind> {
        vec![
            write(self.folder, "/build"),
            write(out, "/out"),
            read(tools, "/job"),
            read(self.steps, "/mayfly/steps.py"),
        ]
    }

    fn env(&self) -> BTreeMap<String, String> {
        let path = serde_json::to_string(&self.system.backend_path).unwrap_or_default();
        [
            ("PATH", "/job/env/bin:/usr/local/bin:/usr/bin:/bin"),
            ("BACKEND", &self.system.backend),
            ("BACKEND_PATH", &path),
            ("PYTHONHASHSEED", "0"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("MAKEFLAGS", "-j2"),
            // An archive of the kind that wheels are has no time before 1980.
            ("SOURCE_DATE_EPOCH", "315532800"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }
}

/// The tools that a backend asked for.
fn answer(file: &Path) -> Result<Vec<String>, String> {
    let is_file = fs::symlink_metadata(file).is_ok_and(|about| about.is_file());
    let bytes = is_file.then(|| fs::read(file).ok()).flatten();
    let asked = bytes.and_then(|bytes| serde_json::from_slice::<Vec<String>>(&bytes).ok());
    let asked = asked.ok_or("its build does not say which tools it needs")?;
    super::system::checked(asked)
}

/// Whether there is code that a compiler has to see.
fn has_native_code(folder: &Path) -> bool {
    let endings = ["c", "cc", "cpp", "cxx", "pyx"];
    walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| entry.path().extension()?.to_str().map(str::to_lowercase))
        .any(|ending| endings.contains(&ending.as_str()))
}

/// The wheel in a folder. One of another package does not count: it would be used for that.
fn wheel_in(folder: &Path, sdist: &Sdist) -> Option<PathBuf> {
    let plain = |name: &str| {
        let letters = |letter: char| letter.is_ascii_alphanumeric() || "._-+".contains(letter);
        name.chars().all(letters)
    };
    let entries = fs::read_dir(folder).ok()?.flatten();
    let wheels = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    let mut wheels = wheels.filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let package = name.split('-').next().unwrap_or_default();
        name.ends_with(".whl") && plain(&name) && canonical(package) == sdist.package
    });
    wheels.next().map(|entry| entry.path())
}

const TOOLS: &str = "tools.toml";
const COMPILERS: &str = "compilers.json";

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Keeps a wheel for other apps, whole or not at all.
fn keep(
    kept: &Path,
    (file, bytes): &(String, Vec<u8>),
    tools: &str,
    compilers: Option<&[u8]>,
) -> Result<(), LayerError> {
    let above = kept.parent().unwrap_or(kept);
    fs::create_dir_all(above).map_err(LayerError::at(above))?;
    let made = tempfile::Builder::new().prefix(".").tempdir_in(above);
    let made = made.map_err(LayerError::at(above))?;
    write_file(&made.path().join(file), bytes)?;
    write_file(&made.path().join(TOOLS), tools.as_bytes())?;
    if let Some(pin) = compilers {
        write_file(&made.path().join(COMPILERS), pin)?;
    }
    // Built with other tools than these.
    match fs::remove_dir_all(kept) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            return Err(LayerError::at(kept)(cause));
        }
        _ => {}
    }
    fs::rename(made.path(), kept).map_err(LayerError::at(kept))?;
    // The folder has another name now; there is nothing left to remove.
    let _ = made.keep();
    Ok(())
}

/// Writes a file down to the disk: what is kept must not be half there after a crash.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), LayerError> {
    use std::io::Write;
    let mut file = File::create(path).map_err(LayerError::at(path))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(LayerError::at(path))
}

fn name_of(sdist: &Sdist) -> String {
    format!("{} {}", sdist.package, sdist.version)
}

static MISSING_HEADER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"fatal error: (\S+\.h[a-z]*): No such file").expect("a fixed pattern")
});

/// Packages that are often listed though another one, which has wheels, is meant.
const BETTER: [(&str, &str); 5] = [
    ("mysqlclient", "pymysql"),
    ("pycrypto", "pycryptodome"),
    ("pyaudio", "sounddevice"),
    ("tensorflow-gpu", "tensorflow"),
    ("uwsgi", "gunicorn"),
];

/// A build that failed.
fn failure(done: &Done, sdist: &Sdist) -> Failure {
    let text = done.lines.join("\n");
    let failure = done.explain(unfit(sdist, "it has no wheel, and its own build failed"));
    match MISSING_HEADER.captures(&text) {
        Some(found) if better(sdist).is_none() => failure.hint(format!(
            "name the Debian package that has `{}` in `packages` under [build] in mayfly.toml",
            &found[1]
        )),
        _ => failure,
    }
}

fn better(sdist: &Sdist) -> Option<&'static str> {
    let found = BETTER.iter().find(|(name, _)| *name == sdist.package);
    found.map(|(_, better)| *better)
}

/// The failure of a package that cannot be built here.
fn unfit(sdist: &Sdist, why: &str) -> Failure {
    let message = format!(
        "the Python package `{}` cannot be built from its source",
        name_of(sdist)
    );
    let failure = Failure::new(FailureCode::Dependency, message).because(why);
    match better(sdist) {
        Some(better) => failure.hint(format!("list `{better}` in place of `{}`", sdist.package)),
        None => failure.hint(format!(
            "list a version of `{}` that has a wheel, or another package in its place",
            sdist.package
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::instance::Exit;
    use ports::workshop::{JobEnd, JobReport};

    fn sdist(package: &str) -> Sdist {
        Sdist {
            package: package.into(),
            version: "1.0".into(),
            file: format!("{package}-1.0.tar.gz"),
            url: String::new(),
            sha256: None,
        }
    }

    #[test]
    fn only_a_wheel_of_the_package_itself_is_taken() {
        for (file, taken) in [
            ("a_b-1.0-py3-none-any.whl", true),
            ("A.b-1.0-cp313-cp313-linux_x86_64.whl", true),
            ("flask-3.0-py3-none-any.whl", false),
            ("a_b-1.0-py3-none-any.txt", false),
            ("a_b-1.0%2e-py3-none-any.whl", false),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join(file), "x").expect("a file");
            let found = wheel_in(folder.path(), &sdist("a-b"));
            assert_eq!(found.is_some(), taken, "{file}");
        }
        let (folder, outside) = (tempfile::tempdir(), tempfile::NamedTempFile::new());
        let (folder, outside) = (folder.expect("a folder"), outside.expect("a file"));
        let link = folder.path().join("a_b-1.0-py3-none-any.whl");
        std::os::unix::fs::symlink(outside.path(), link).expect("a link");
        assert_eq!(wheel_in(folder.path(), &sdist("a-b")), None, "a link");
    }

    #[test]
    fn code_that_needs_a_compiler_is_seen() {
        for (file, seen) in [("src/a.c", true), ("a.PYX", true), ("a.py", false)] {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(path, "x").expect("a file");
            assert_eq!(has_native_code(folder.path()), seen, "{file}");
        }
    }

    #[test]
    fn a_failed_build_says_what_helps() {
        for (package, line, hint) in [
            (
                "thing",
                "x.c:1:10: fatal error: ldap.h: No such file or directory",
                "`ldap.h`",
            ),
            (
                "mysqlclient",
                "fatal error: mysql.h: No such file or directory",
                "`pymysql`",
            ),
            ("thing", "error: command failed", "has a wheel"),
        ] {
            let done = Done {
                report: JobReport {
                    end: JobEnd::Exit(Exit::Code { code: 1 }),
                    denied: vec![],
                },
                lines: vec![line.to_owned()],
            };
            let failure = failure(&done, &sdist(package));
            assert!(
                failure.hint.as_ref().is_some_and(|it| it.contains(hint)),
                "{failure:?}"
            );
            assert!(failure.cause.iter().any(|cause| cause == line));
        }
    }
}

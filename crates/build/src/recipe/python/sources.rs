//! Resolves when some packages have no wheel.
//!
//! The installer only looks at wheels: asking a source archive what it depends on may run it. So it
//! is offered stand-ins, empty wheels of all versions that there are source archives of, and
//! chooses among them by the rules of the app and of all other packages. What it chooses is then
//! built in the place of its stand-in, which tells what it depends on, until no stand-in is chosen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use model::failure::{Failure, FailureCode};

use super::complaint::{Complaint, failure};
use super::lock::{Source, linked, sources};
use super::resolve::{Ask, Tried};
use super::wheel::{LINKS, Wheel};
use super::{Ground, ground};
use crate::layer::{LayerError, Scratch};
use crate::recipe::job::Done;
use crate::recipe::kit::Kit;
use crate::tools::{Sdist, zip};

/// What was chosen, in the end.
pub(super) struct Chosen {
    pub(super) version: String,
    /// The pylock.toml, as the installer wrote it.
    pub(super) text: String,
    /// What is built here.
    pub(super) sources: Vec<Source>,
    pub(super) pins: BTreeMap<String, Vec<u8>>,
}

/// Resolves for the version of Python for which the fewest packages are built; for another when
/// one of them cannot be built for that. `refused` is why there are not wheels of all of them.
pub(super) async fn resolve(
    ask: &Ask<'_, '_>,
    versions: &[&str],
    refused: (Complaint, Done),
) -> Result<Chosen, Failure> {
    let mut tries = Vec::new();
    for version in versions {
        let mut offer = Offer::new(ask.kit, version)?;
        let ground = ground(ask.kit, ask.order, version).await?;
        match offer.choose(ask, &ground).await? {
            Ok(text) => tries.push((offer.stand_ins(&text).len(), ground, offer)),
            Err(refusal) => tracing::debug!(version, ?refusal, "no versions fit"),
        }
    }
    // Stable: of equal ones the newest version of Python stays the first.
    tries.sort_by_key(|(built, ..)| *built);
    let mut first = None;
    for (_, ground, offer) in tries {
        match offer.build(ask, &ground).await {
            Err(failure) if may_fit_another_python(&failure) => {
                first.get_or_insert(failure);
            }
            done => return done,
        }
    }
    let (complaint, done) = refused;
    Err(first.unwrap_or_else(|| failure(ask.order, &complaint, &done, &ask.list())))
}

fn may_fit_another_python(failure: &Failure) -> bool {
    matches!(
        failure.code,
        FailureCode::Dependency | FailureCode::BuildFailed
    )
}

/// Builds what an app's own lock takes from source archives.
pub(super) async fn build_locked(
    ask: &Ask<'_, '_>,
    ground: &Ground,
    text: String,
) -> Result<Chosen, Failure> {
    let bench = ask.bench(ground);
    let (mut built, mut pins) = (Vec::new(), BTreeMap::new());
    for source in sources(&text) {
        let wheel = bench.provide(&source).await?;
        pins.extend(wheel.pins);
        built.push(wheel.source);
    }
    Ok(Chosen {
        version: ground.version.clone(),
        text,
        sources: built,
        pins,
    })
}

/// Wheels that the installer may choose beside those of the registry.
struct Offer {
    links: Scratch,
    python: String,
    /// By the names of their wheels.
    wheels: BTreeMap<String, Offered>,
    /// Packages whose source archives are on offer.
    packages: BTreeSet<String>,
}

enum Offered {
    StandIn(Sdist),
    Built(Wheel),
}

impl Offer {
    fn new(kit: &Kit, python: &str) -> Result<Self, Failure> {
        Ok(Self {
            links: kit.packer.scratch()?,
            python: python.to_owned(),
            wheels: BTreeMap::new(),
            packages: BTreeSet::new(),
        })
    }

    /// Lets the installer choose. The inner error is its refusal.
    async fn choose(
        &mut self,
        ask: &Ask<'_, '_>,
        ground: &Ground,
    ) -> Result<Result<String, (Complaint, Done)>, Failure> {
        loop {
            match ask.attempt(ground, Some(self.links.path())).await? {
                Tried::Locked(text) => return Ok(Ok(text)),
                Tried::Refused(Complaint::NoWheel(Some(name)), done) => {
                    if !self.add(ask.kit, &name).await? {
                        return Ok(Err((Complaint::NoWheel(Some(name)), done)));
                    }
                }
                Tried::Refused(complaint, done) => return Ok(Err((complaint, done))),
            }
        }
    }

    /// Offers a package's source archives. Whether there are some that were not on offer yet.
    async fn add(&mut self, kit: &Kit, package: &str) -> Result<bool, Failure> {
        let package = crate::detect::canonical(package);
        if !self.packages.insert(package.clone()) {
            return Ok(false);
        }
        let sdists = kit.tools.sdists(&package, &self.python).await?;
        let some = !sdists.is_empty();
        for sdist in sdists {
            let wheel = stand_in_name(&sdist);
            let path = self.links.path().join(&wheel);
            fs::write(&path, stand_in(&sdist)).map_err(|cause| LayerError::at(path)(cause))?;
            self.wheels.insert(wheel, Offered::StandIn(sdist));
        }
        Ok(some)
    }

    /// The stand-ins that a lock names.
    fn stand_ins(&self, text: &str) -> Vec<Sdist> {
        let chosen = linked(text, &format!("file://{LINKS}"));
        let sdist = |wheel: &String| match self.wheels.get(wheel)? {
            Offered::StandIn(sdist) => Some(sdist.clone()),
            Offered::Built(_) => None,
        };
        chosen
            .iter()
            .filter_map(|(_, wheel)| sdist(wheel))
            .collect()
    }

    /// Builds what is chosen, until nothing of it is a stand-in.
    async fn build(mut self, ask: &Ask<'_, '_>, ground: &Ground) -> Result<Chosen, Failure> {
        let bench = ask.bench(ground);
        loop {
            let text = match self.choose(ask, ground).await? {
                Ok(text) => text,
                Err((complaint, done)) => {
                    return Err(failure(ask.order, &complaint, &done, &ask.list()));
                }
            };
            let stand_ins = self.stand_ins(&text);
            if stand_ins.is_empty() {
                return Ok(self.chosen(text));
            }
            for sdist in stand_ins {
                let wheel = bench.provide(&ask.source_of(sdist.clone())).await?;
                self.replace(&sdist, wheel)?;
            }
        }
    }

    fn replace(&mut self, sdist: &Sdist, wheel: Wheel) -> Result<(), Failure> {
        let stand_in = stand_in_name(sdist);
        let path = self.links.path().join(&stand_in);
        fs::remove_file(&path).map_err(|cause| LayerError::at(path)(cause))?;
        self.wheels.remove(&stand_in);
        wheel.link_into(self.links.path())?;
        self.wheels
            .insert(wheel.file.clone(), Offered::Built(wheel));
        Ok(())
    }

    fn chosen(self, text: String) -> Chosen {
        let names = linked(&text, &format!("file://{LINKS}"));
        let (mut sources, mut pins) = (Vec::new(), BTreeMap::new());
        for (_, name) in names {
            if let Some(Offered::Built(wheel)) = self.wheels.get(&name) {
                sources.push(wheel.source.clone());
                pins.extend(wheel.pins.clone());
            }
        }
        Chosen {
            version: self.python,
            text,
            sources,
            pins,
        }
    }
}

fn stand_in_name(sdist: &Sdist) -> String {
    let package = sdist.package.replace('-', "_");
    format!("{package}-{}-py3-none-any.whl", sdist.version)
}

/// A wheel of a package's name and version that depends on nothing. Source: PEP 427.
fn stand_in(sdist: &Sdist) -> Vec<u8> {
    let (name, version) = (&sdist.package, &sdist.version);
    let folder = format!("{}-{version}.dist-info", name.replace('-', "_"));
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    let wheel = "Wheel-Version: 1.0\nGenerator: mayfly\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    zip::write(&[
        (&format!("{folder}/METADATA"), metadata.as_bytes()),
        (&format!("{folder}/WHEEL"), wheel.as_bytes()),
        (&format!("{folder}/RECORD"), b""),
    ])
}

//! Makes bases, once for all who ask for the same one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use model::failure::Failure;
use model::image::LayerKind;
use model::{Digest, Timestamp};
use ports::{ProgressSink, Workshop};

use super::DebianError;
use super::compile;
use super::deb::Unpacked;
use super::furnish;
use super::kind::BaseKind;
use super::mirror::Mirror;
use super::pin::{Pin, PinnedPackage};
use super::sources::DebianSources;
use crate::fetch::{FetchError, Fetcher};
use crate::flight::Flights;
use crate::layer::{PackedLayer, Packer, Place, Scratch, Shelf};

/// Changes whenever the same packages would give another layer.
const ASSEMBLY: &str = "debian base 3";
/// Downloads at once.
const CONNECTIONS: usize = 4;

/// A base that an image begins with.
#[derive(Debug, Clone)]
pub struct Base {
    /// Its layer.
    pub packed: PackedLayer,
    /// The exact packages, for the next build: hand it back as `pinned`.
    pub pin: Vec<u8>,
    /// Whether it was there already.
    pub cached: bool,
}

/// Makes and finds bases.
pub struct Bases {
    mirror: Mirror,
    packer: Packer,
    workshop: Arc<dyn Workshop>,
    flights: Flights,
    resolved: PathBuf,
}

impl Bases {
    /// `cache` is a folder for what is fetched.
    pub fn new(
        sources: DebianSources,
        fetcher: Fetcher,
        packer: Packer,
        workshop: Arc<dyn Workshop>,
        cache: &Path,
    ) -> Self {
        Self {
            mirror: Mirror::new(sources, fetcher, cache.to_owned()),
            packer,
            workshop,
            flights: Flights::default(),
            resolved: cache.join("resolved"),
        }
    }

    /// The base of `kind` with `extra_packages` (names of Debian packages).
    ///
    /// `pinned` is what an earlier build got: it fixes every version, and saves the mirror's
    /// index. When the mirror no longer has one of its files, the list is made anew.
    pub async fn base(
        &self,
        kind: BaseKind,
        extra_packages: &[String],
        pinned: Option<&[u8]>,
        progress: &dyn ProgressSink,
    ) -> Result<Base, Failure> {
        let suite = kind.suite().codename();
        let wanted = wanted(kind, extra_packages);
        let pin = pinned.and_then(|bytes| Pin::read(bytes, suite, &wanted));
        let was_pinned = pin.is_some();
        let pin = match pin {
            Some(pin) => pin,
            None => {
                self.resolve(kind, wanted.clone(), Freshness::Recent)
                    .await?
            }
        };
        match self.layer(kind, &pin, progress).await {
            Err(MakeError::Gone(url)) => {
                tracing::info!(url, "the mirror no longer has a pinned package");
                if was_pinned {
                    progress.notice("the mirror has newer Debian packages than this app was built with; they are used now");
                }
                let pin = self.resolve(kind, wanted, Freshness::Now).await?;
                let made = self.layer(kind, &pin, progress).await;
                made.map(|(packed, cached)| Base {
                    packed,
                    pin: pin.to_bytes(),
                    cached,
                })
                .map_err(Failure::from)
            }
            Err(MakeError::Failed(failure)) => Err(failure),
            Ok((packed, cached)) => Ok(Base {
                packed,
                pin: pin.to_bytes(),
                cached,
            }),
        }
    }

    async fn layer(
        &self,
        kind: BaseKind,
        pin: &Pin,
        progress: &dyn ProgressSink,
    ) -> Result<(PackedLayer, bool), MakeError> {
        let key = key(kind, pin);
        let _turn = self.flights.turn(key).await;
        if let Some(packed) = self.packer.recall(&key).await {
            return Ok((packed, true));
        }
        let step = format!("base: {}, {} packages", kind.describe(), pin.packages.len());
        progress.step_started(&step);
        let started = Instant::now();
        let packed = self.make(kind, pin).await?;
        self.packer.remember(&key, &packed).map_err(Failure::from)?;
        progress.step_done(&step, started.elapsed().as_secs_f64(), false);
        Ok((packed, false))
    }

    async fn make(&self, kind: BaseKind, pin: &Pin) -> Result<PackedLayer, MakeError> {
        let stop = StopOnDrop::default();
        let work = Work {
            mirror: self.mirror.clone(),
            shelf: self.packer.shelf().clone(),
            pin: pin.clone(),
            stopped: stop.0.clone(),
        };
        let folder = blocking(move || work.unpack()).await?;
        if let Some(python) = kind.python() {
            compile::standard_library(&*self.workshop, &self.packer, python, folder.path()).await?;
        }
        let packed = self.packer.adopt(LayerKind::Base, folder).await;
        Ok(packed.map_err(Failure::from)?)
    }

    /// Asks the mirror which packages `wanted` comes to.
    async fn resolve(
        &self,
        kind: BaseKind,
        wanted: Vec<String>,
        freshness: Freshness,
    ) -> Result<Pin, Failure> {
        let suite = kind.suite();
        let file = self
            .resolved
            .join(key_of(&[suite.codename(), &wanted.join(" ")]).hex());
        if freshness == Freshness::Recent
            && let Some(pin) = recent(&file, suite.codename(), &wanted)
        {
            return Ok(pin);
        }
        // Two builds that begin at once ask once.
        let _turn = self
            .flights
            .turn(key_of(&["index", suite.codename()]))
            .await;
        let mirror = self.mirror.clone();
        let pin = blocking(move || {
            let index = mirror.index(suite, Timestamp::now())?;
            let packages = index.resolve(suite.codename(), &wanted)?;
            Ok::<_, DebianError>(Pin::new(suite.codename(), wanted, packages))
        });
        let pin = pin.await?;
        remember(&file, &pin);
        Ok(pin)
    }
}

/// How old an answer of the mirror may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freshness {
    /// An hour.
    Recent,
    /// It is asked again.
    Now,
}

/// How long a resolved list is used for other apps without asking the mirror again.
const RECENT_SECONDS: u64 = 3600;

fn recent(file: &Path, suite: &str, wanted: &[String]) -> Option<Pin> {
    let age = std::fs::metadata(file)
        .ok()?
        .modified()
        .ok()?
        .elapsed()
        .ok()?;
    if age.as_secs() > RECENT_SECONDS {
        return None;
    }
    Pin::read(&std::fs::read(file).ok()?, suite, wanted)
}

/// Keeps a resolved list; without it the mirror is asked again.
fn remember(file: &Path, pin: &Pin) {
    let folder = file.parent().unwrap_or(Path::new("."));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| tempfile::NamedTempFile::new_in(folder))
        .and_then(|temporary| {
            std::fs::write(temporary.path(), pin.to_bytes())?;
            temporary.persist(file).map_err(|error| error.error)?;
            Ok(())
        });
    if let Err(cause) = written {
        tracing::warn!(file = %file.display(), %cause, "a list of packages is not kept");
    }
}

/// Why a layer was not made.
enum MakeError {
    /// The mirror no longer has a file.
    Gone(String),
    /// Anything else.
    Failed(Failure),
}

impl From<DebianError> for MakeError {
    fn from(error: DebianError) -> Self {
        match &error {
            DebianError::Package { cause, .. } => match &**cause {
                DebianError::Fetch(FetchError::Missing(url)) => Self::Gone(url.clone()),
                _ => Self::Failed(error.into()),
            },
            _ => Self::Failed(error.into()),
        }
    }
}

impl From<Failure> for MakeError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<MakeError> for Failure {
    fn from(error: MakeError) -> Self {
        match error {
            MakeError::Gone(url) => DebianError::Fetch(FetchError::Missing(url)).into(),
            MakeError::Failed(failure) => failure,
        }
    }
}

/// Tells threads to stop when the build's future is dropped.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Fetches and unpacks, on threads of its own.
struct Work {
    mirror: Mirror,
    shelf: Shelf,
    pin: Pin,
    stopped: Arc<AtomicBool>,
}

impl Work {
    fn unpack(&self) -> Result<Scratch, DebianError> {
        let folder = self.shelf.scratch()?;
        let place = Place::new(folder.path());
        furnish::prepare(&place)?;
        // Large ones first, so that no thread is left alone with one at the end.
        let mut packages: Vec<&PinnedPackage> = self.pin.packages.iter().collect();
        packages.sort_by_key(|package| std::cmp::Reverse(package.size_bytes));
        let next = AtomicUsize::new(0);
        let done = Mutex::default();
        std::thread::scope(|scope| {
            let take = || self.unpack_some(&packages, &next, &place, &done);
            let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(take)).collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or(Err(DebianError::Stopped)))
        })?;
        let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        furnish::finish(&place, &self.pin, &done)?;
        Ok(folder)
    }

    fn unpack_some(
        &self,
        packages: &[&PinnedPackage],
        next: &AtomicUsize,
        place: &Place,
        done: &Mutex<BTreeMap<String, Unpacked>>,
    ) -> Result<(), DebianError> {
        while let Some(package) = packages.get(next.fetch_add(1, Ordering::Relaxed)) {
            if self.stopped.load(Ordering::Relaxed) {
                return Err(DebianError::Stopped);
            }
            let unpacked = self
                .mirror
                .package(package)
                .and_then(|deb| super::deb::unpack(&deb, place));
            match unpacked {
                Ok(unpacked) => {
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.insert(package.package.clone(), unpacked);
                }
                Err(cause) => {
                    // The others need not go on.
                    next.store(packages.len(), Ordering::Relaxed);
                    return Err(DebianError::Package {
                        package: package.package.clone(),
                        cause: Box::new(cause),
                    });
                }
            }
        }
        Ok(())
    }
}

fn wanted(kind: BaseKind, extra_packages: &[String]) -> Vec<String> {
    let own = kind.packages().into_iter().map(str::to_owned);
    let mut wanted: Vec<String> = own.chain(extra_packages.iter().cloned()).collect();
    wanted.sort();
    wanted.dedup();
    wanted
}

fn key(kind: BaseKind, pin: &Pin) -> Digest {
    let list = String::from_utf8_lossy(&pin.to_bytes()).into_owned();
    key_of(&[ASSEMBLY, kind.python().unwrap_or("no python"), &list])
}

fn key_of(parts: &[&str]) -> Digest {
    Digest::of(parts.join("\0").as_bytes())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DebianError> + Send + 'static,
) -> Result<T, DebianError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(DebianError::Stopped))
}

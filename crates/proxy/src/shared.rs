//! What all workers share.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use arc_swap::ArcSwap;
use model::{AppName, ReleaseKey};
use ports::runtime::Upstream;
use ports::traffic::{Route, SiteFiles, Target, TrafficError};

use crate::config::Config;
use crate::gatehouse::Gatehouse;
use crate::instance::Instance;
use crate::lane::Lane;
use crate::site::SiteRoot;
use crate::table::{AppRoute, Backend, Table};
use crate::tally::ReleaseTally;
use crate::worker::Crew;

/// What all workers share: read on the request path, written by the calls of the port.
pub(crate) struct Shared {
    /// How the edge was started; its `listen` names the port that was found.
    pub(crate) config: Config,
    /// Who serves what.
    pub(crate) table: ArcSwap<Table>,
    crew: Crew,
    known: Mutex<Known>,
}

/// What outlives routes: counters, open folders, pooled connections.
#[derive(Default)]
struct Known {
    apps: HashMap<AppName, Arc<Gatehouse>>,
    releases: HashMap<ReleaseKey, KnownRelease>,
}

struct KnownRelease {
    lane: Arc<Lane>,
    site: Weak<SiteRoot>,
    instance: Weak<Instance>,
}

impl Shared {
    /// Nothing is routed yet.
    pub(crate) fn new(config: Config, crew: Crew) -> Arc<Self> {
        Arc::new(Self {
            config,
            crew,
            table: ArcSwap::default(),
            known: Mutex::default(),
        })
    }

    /// The workers.
    pub(crate) fn crew(&self) -> &Crew {
        &self.crew
    }

    /// Replaces an app's route.
    pub(crate) fn set(&self, route: Route) -> Result<(), TrafficError> {
        let mut known = self.known();
        let route = known.route(route, &self.config)?;
        // Workers that still read the old table see from this that it is old.
        let generation = route.generation;
        let gatehouse = Arc::clone(&route.gatehouse);
        let route = Arc::new(route);
        self.table.rcu(|table| table.with(Arc::clone(&route)));
        gatehouse.generation.store(generation, SeqCst);
        Ok(())
    }

    /// Forgets an app with its counters.
    pub(crate) fn remove(&self, app: &AppName) {
        let mut known = self.known();
        self.table.rcu(|table| table.without(app));
        if let Some(gatehouse) = known.apps.remove(app) {
            gatehouse.generation.fetch_add(1, SeqCst);
        }
        known.releases.retain(|release, known| {
            // A drain that is still to come finds what is under way.
            release.app != *app || known.lane.under_way() > 0
        });
    }

    /// The gatehouse of an app, whether it has a route yet or not.
    pub(crate) fn gatehouse(&self, app: &AppName) -> Arc<Gatehouse> {
        self.known().gatehouse(app)
    }

    /// The lane of a release that was routed once.
    pub(crate) fn lane(&self, release: &ReleaseKey) -> Option<Arc<Lane>> {
        let known = self.known();
        let known = known.releases.get(release)?;
        Some(Arc::clone(&known.lane))
    }

    /// The lanes of all releases.
    pub(crate) fn lanes(&self) -> Vec<Arc<Lane>> {
        let known = self.known();
        let lanes = known.releases.values();
        lanes.map(|known| Arc::clone(&known.lane)).collect()
    }

    /// The counters of all releases.
    pub(crate) fn tallies(&self) -> Vec<ReleaseTally> {
        let lanes = self.lanes();
        let lanes = lanes.iter();
        lanes
            .map(|lane| lane.tally.read(lane.release.clone(), lane.under_way()))
            .collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn gatehouse(&mut self, app: &AppName) -> Arc<Gatehouse> {
        let new = || Gatehouse::new();
        Arc::clone(self.apps.entry(app.clone()).or_insert_with(new))
    }

    fn route(&mut self, route: Route, config: &Config) -> Result<AppRoute, TrafficError> {
        let mut end = 0;
        let mut split = Vec::new();
        for (share, target) in &route.split {
            end += u32::from(*share);
            split.push((end, self.backend(target, config)?));
        }
        if end != 100 && !split.is_empty() {
            return Err(TrafficError::BadSplit(route.app));
        }
        let assets_of = route.assets_of.iter();
        let assets_of = assets_of.map(|target| self.backend(target, config));
        let assets_of = assets_of.collect::<Result<Vec<_>, _>>()?.pop();
        let releases = route.releases.iter();
        let releases = releases
            .map(|target| self.backend(target, config))
            .collect::<Result<_, _>>()?;
        let gatehouse = self.gatehouse(&route.app);
        Ok(AppRoute {
            generation: gatehouse.generation.load(SeqCst) + 1,
            app: route.app,
            gatehouse,
            split,
            assets_of,
            releases,
            down: route.down,
        })
    }

    fn backend(&mut self, target: &Target, config: &Config) -> Result<Arc<Backend>, TrafficError> {
        let new = || KnownRelease {
            lane: Lane::new(target.release.clone(), Arc::clone(&config.observer)),
            site: Weak::new(),
            instance: Weak::new(),
        };
        let known = self
            .releases
            .entry(target.release.clone())
            .or_insert_with(new);
        let site = target
            .site
            .as_ref()
            .map(|files| known.site(files))
            .transpose();
        let site = site.map_err(|cause| TrafficError::Site {
            release: target.release.clone(),
            cause,
        })?;
        let instance = target.upstream.as_ref().map(|to| known.instance(to));
        Ok(Arc::new(Backend {
            lane: Arc::clone(&known.lane),
            site,
            instance,
            wakefulness: target.wakefulness,
        }))
    }
}

impl KnownRelease {
    fn site(&mut self, files: &SiteFiles) -> io::Result<Arc<SiteRoot>> {
        if let Some(site) = self.site.upgrade().filter(|site| site.files == *files) {
            return Ok(site);
        }
        let site = Arc::new(SiteRoot::open(files.clone())?);
        self.site = Arc::downgrade(&site);
        Ok(site)
    }

    fn instance(&mut self, upstream: &Upstream) -> Arc<Instance> {
        let same = |instance: &Arc<Instance>| instance.upstream == *upstream;
        if let Some(instance) = self.instance.upgrade().filter(same) {
            return instance;
        }
        let instance = Arc::new(Instance::new(upstream.clone()));
        self.instance = Arc::downgrade(&instance);
        instance
    }
}

//! The route table: what the ports' words become for the request path.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use model::{AppName, ReleaseNumber};
use ports::traffic::Wakefulness;

use crate::chance::Chance;
use crate::gatehouse::Gatehouse;
use crate::instance::Instance;
use crate::lane::Lane;
use crate::site::SiteRoot;

/// Every app's route, by name. Replaced as a whole.
#[derive(Default, Clone)]
pub(crate) struct Table {
    routes: HashMap<Box<str>, Arc<AppRoute>>,
}

/// One release, ready to be asked.
pub(crate) struct Backend {
    /// Its way through the edge.
    pub(crate) lane: Arc<Lane>,
    /// Its files.
    pub(crate) site: Option<Arc<SiteRoot>>,
    /// Its server.
    pub(crate) instance: Option<Arc<Instance>>,
    /// Whether the server has to be woken first.
    pub(crate) wakefulness: Wakefulness,
}

/// One app's route.
pub(crate) struct AppRoute {
    /// The app.
    pub(crate) app: AppName,
    /// What outlives this route.
    pub(crate) gatehouse: Arc<Gatehouse>,
    /// Which of the app's routes this is.
    pub(crate) generation: u64,
    /// Upper ends of the shares, and who gets them.
    pub(crate) split: Vec<(u32, Arc<Backend>)>,
    /// Asked for hashed assets that the current release does not have.
    pub(crate) assets_of: Option<Arc<Backend>>,
    /// Releases with an address of their own.
    pub(crate) releases: Vec<Arc<Backend>>,
    /// What to say while nobody serves.
    pub(crate) down: String,
}

impl Table {
    /// The route of an app.
    pub(crate) fn get(&self, app: &str) -> Option<&Arc<AppRoute>> {
        self.routes.get(app)
    }

    /// The table with this route.
    pub(crate) fn with(&self, route: Arc<AppRoute>) -> Self {
        let mut table = self.clone();
        table.routes.insert(route.app.as_str().into(), route);
        table
    }

    /// The table without this app.
    pub(crate) fn without(&self, app: &AppName) -> Self {
        let mut table = self.clone();
        table.routes.remove(app.as_str());
        table
    }
}

impl AppRoute {
    /// Draws who gets a request.
    pub(crate) fn draw(&self, chance: &Chance) -> Option<&Arc<Backend>> {
        match self.split.as_slice() {
            [] => None,
            [(_, only)] => Some(only),
            shares => {
                let drawn = chance.below(100);
                let hit = shares.iter().find(|(end, _)| drawn < *end);
                hit.map(|(_, backend)| backend)
            }
        }
    }

    /// The release with an address of its own.
    pub(crate) fn release(&self, number: ReleaseNumber) -> Option<&Arc<Backend>> {
        self.releases
            .iter()
            .find(|backend| backend.lane.release.number == number)
    }

    /// Whether no newer route has replaced this one.
    pub(crate) fn is_current(&self) -> bool {
        self.gatehouse.generation.load(SeqCst) <= self.generation
    }
}

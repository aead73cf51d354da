//! Makes the proxy match what holds: the ledger's stable release, and which releases run.

use model::app::App;
use model::release::Release;
use model::{AppName, Failure, ReleaseNumber};
use ports::Route;
use ports::traffic::{Target, Wakefulness};

use crate::Delivery;
use crate::sweep::data::is_for_data;

impl Delivery {
    /// Sets an app's route anew from the ledger and the fleet. Idempotent.
    pub(crate) async fn reroute(&self, name: &AppName) -> Result<(), Failure> {
        let app = self.known_app(name).await?;
        if app.destroyed_at.is_some() {
            self.ports.traffic.remove(name).await;
            return Ok(());
        }
        let route = self.route(&app).await?;
        self.ports.traffic.set(route).await.map_err(Failure::from)
    }

    async fn route(&self, app: &App) -> Result<Route, Failure> {
        let running = self.fleet.of(&app.name);
        let mut releases = Vec::new();
        for release in self
            .ports
            .ledger
            .releases(&app.name)
            .await
            .map_err(|error| Failure::of(&error))?
        {
            if running.contains(&release.key)
                && let Some(target) = self.target(&release).await?
            {
                releases.push(target);
            }
        }
        let stable = releases
            .iter()
            .find(|target| Some(target.release.number) == app.stable)
            .cloned();
        let assets_of = releases
            .iter()
            .find(|target| is_before(target, app.stable))
            .cloned();
        Ok(Route {
            app: app.name.clone(),
            split: stable.map(|target| (100, target)).into_iter().collect(),
            assets_of,
            releases,
            local_port: app.local_port,
            down: self.why_down(app),
        })
    }

    /// Who answers for a release; `None` when nobody does.
    pub(crate) async fn target(&self, release: &Release) -> Result<Option<Target>, Failure> {
        let member = self.fleet.get(&release.key);
        let upstream = member.as_ref().and_then(|member| member.upstream.clone());
        let site = self.site_files(release).await?;
        if site.is_none() && upstream.is_none() {
            return Ok(None);
        }
        let wakefulness = member.map_or(Wakefulness::Awake, |member| member.wakefulness);
        Ok(Some(Target {
            release: release.key.clone(),
            site,
            upstream,
            wakefulness,
        }))
    }

    fn why_down(&self, app: &App) -> String {
        let Some(stable) = app.stable else {
            return format!("{} has no release that is ready yet.", app.name);
        };
        let key = model::ReleaseKey {
            app: app.name.clone(),
            number: stable,
        };
        match self.fleet.get(&key).and_then(|member| member.trouble) {
            Some(trouble) if is_for_data(&trouble) => {
                format!("{} is stopped: {}.", app.name, trouble.message)
            }
            Some(trouble) => format!(
                "{} is down: {}. It is started again by itself.",
                app.name, trouble.message
            ),
            None => format!("{} is starting.", app.name),
        }
    }
}

fn is_before(target: &Target, stable: Option<ReleaseNumber>) -> bool {
    Some(target.release.number) != stable
}

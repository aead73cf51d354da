//! The app, the runs and the releases that the contract's sentences tell of.

use std::collections::BTreeMap;

use model::app::{App, Owner};
use model::env::SecretEnv;
use model::event::Event;
use model::evidence::Evidence;
use model::exemption::GrantedExemption;
use model::image::{Image, Layer, LayerKind};
use model::limits::RunLimits;
use model::policy::{CreatorKind, Exemption};
use model::rollout::Phase;
use model::run::Run;
use model::serving::{RunConfig, Serving, Site};
use model::{AppName, Digest, Release, ReleaseKey, ReleaseNumber, RunId, Stage, Timestamp};

use super::{Change, Ledger};

const OWNER: Owner = Owner { uid: 1000 };

pub(super) fn name(text: &str) -> AppName {
    text.parse().expect("a good name")
}

/// A moment with all the digits that a clock has.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::new(1_700_000_000 + second, 123_456_789).expect("a moment of this century")
}

pub(super) fn app(text: &str, uid_slot: u32) -> App {
    App {
        name: name(text),
        owner: OWNER,
        folder: format!("/home/someone/{text}").into(),
        local_port: 4000,
        uid_slot,
        created_at: at(0),
        stable: None,
        destroyed_at: None,
    }
}

pub(super) fn run(second: i64) -> Run {
    run_of("shop", second)
}

pub(super) fn run_of(app: &str, second: i64) -> Run {
    Run {
        id: RunId::new(at(second)),
        app: name(app),
        owner: OWNER,
        snapshot: Digest::of(b"snapshot"),
        started_at: at(second),
        settled: None,
    }
}

pub(super) fn evidence(run: RunId, attempt: u32) -> Evidence {
    Evidence {
        run,
        stage: Stage::Build,
        attempt,
        input: Digest::of(b"input"),
        blob: Digest::of(&attempt.to_le_bytes()),
        millis: 12,
        cached: false,
    }
}

pub(super) fn release(number: u32) -> Release {
    release_of("shop", number)
}

pub(super) fn release_of(app: &str, number: u32) -> Release {
    Release {
        key: ReleaseKey {
            app: name(app),
            number: ReleaseNumber::new(number),
        },
        run: RunId::new(at(1)),
        image: image(),
        config: RunConfig {
            limits: RunLimits::default(),
            health: "/healthz".into(),
            keep: vec!["*.db".into()],
            egress: vec!["api.example:8443".into()],
            env: BTreeMap::from([("MODE".to_owned(), "a \"b\" \u{e9}".to_owned())]),
        },
        env_version: 1,
        verification: Some(Digest::of(b"verified")),
        owner: OWNER,
        created_at: at(2),
        expires_at: Some(at(3)),
        phase: Phase::Starting { since: at(2) },
    }
}

fn image() -> Image {
    let site = Site {
        root: "site".into(),
        index: None,
        fallback: Some("index.html".into()),
    };
    Image {
        digest: Digest::of(b"manifest"),
        config: Digest::of(b"config"),
        layers: vec![Layer {
            kind: LayerKind::Base,
            digest: Digest::of(b"layer"),
            diff_id: Digest::of(b"diff"),
            size_bytes: 5_000_000_000,
        }],
        serving: Serving::Site { site },
    }
}

pub(super) fn env(value: &str) -> SecretEnv {
    SecretEnv(BTreeMap::from([("KEY".to_owned(), value.to_owned())]))
}

/// What events call themselves.
pub(super) fn events_of(events: &[Event]) -> Vec<String> {
    let kind = |event: &Event| {
        let value = serde_json::to_value(event).expect("JSON");
        value["event"].as_str().expect("a name").to_owned()
    };
    events.iter().map(kind).collect()
}

pub(super) async fn record(ledger: &dyn Ledger, changes: Vec<Change>) -> Vec<Event> {
    let recorded = ledger.record(at(100), changes).await;
    recorded.expect("recorded")
}

/// Records the app `shop`.
pub(super) async fn shop(ledger: &dyn Ledger) {
    record(ledger, vec![Change::AppCreated(app("shop", 1))]).await;
}

/// Records a release that starts.
pub(super) async fn starting(ledger: &dyn Ledger, number: u32) -> ReleaseKey {
    let release = release(number);
    let key = release.key.clone();
    record(ledger, vec![Change::ReleaseCreated(Box::new(release))]).await;
    key
}

/// Moves a release of `shop`.
pub(super) async fn move_to(ledger: &dyn Ledger, number: u32, phase: Phase) -> Vec<Event> {
    let release = release(number).key;
    record(ledger, vec![Change::PhaseMoved { release, phase }]).await
}

/// Records a release that serves.
pub(super) async fn promoted(ledger: &dyn Ledger, number: u32) -> ReleaseKey {
    let key = starting(ledger, number).await;
    move_to(ledger, number, Phase::Promoted { at: at(1) }).await;
    key
}

/// Blobs by whose they are.
pub(super) struct Held {
    pub(super) of_the_app: Vec<Digest>,
    pub(super) of_others: Vec<Digest>,
}

/// Records one of everything that belongs to `shop`, and references of its neighbours.
pub(super) async fn everything_held(ledger: &dyn Ledger, run: &Run) -> Held {
    let app = || run.app.clone();
    let pinned = Digest::of(b"pinned");
    let mut changes = vec![
        Change::RunStarted(run.clone()),
        Change::StageRecorded {
            app: app(),
            evidence: evidence(run.id, 1),
        },
        Change::EnvSet {
            app: app(),
            version: 1,
            values: env("x"),
        },
        Change::Pinned {
            app: app(),
            name: "lock".into(),
            blob: Some(pinned),
        },
    ];
    let own = [
        "release:shop.r1",
        &format!("run:{}", run.id),
        "pin:shop",
        "app:shop",
    ];
    let others = [
        "release:shop-2.r1",
        "run:other",
        "pin:shop-2",
        "release:shop.x",
    ];
    let held = |holder: &str| Change::BlobsHeld {
        holder: holder.into(),
        digests: vec![Digest::of(holder.as_bytes())],
        rule: String::new(),
    };
    changes.extend(own.iter().chain(&others).map(|holder| held(holder)));
    record(ledger, changes).await;
    let digests = |holders: &[&str]| -> Vec<Digest> {
        holders.iter().map(|h| Digest::of(h.as_bytes())).collect()
    };
    let mut of_others = digests(&others);
    of_others.sort();
    Held {
        of_the_app: [digests(&own), vec![pinned]].concat(),
        of_others,
    }
}

/// Something that is let pass, for a reason that names somebody.
pub(super) fn exemption(app: &AppName) -> GrantedExemption {
    let exemption = Exemption {
        target: "f-1".into(),
        path: ".".into(),
        until: at(100),
        reason: "a person's name".into(),
        granted_by: "uid:0".into(),
        granted_by_kind: CreatorKind::Person,
        granted_at: at(1),
    };
    GrantedExemption::new(app.clone(), exemption, None)
}

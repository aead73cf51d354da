//! What `bench up` prints.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde_json::{Value, json};

use super::app::Kind;
use super::crowd::Lives;
use super::edits::Edits;
use super::memory::Held;
use crate::bench::stats::{median, quantile};
use crate::bench::table::Table;

/// All figures of a run.
#[derive(Default)]
pub struct Report {
    /// First `up`s.
    pub first: BTreeMap<Kind, Vec<Duration>>,
    /// Unchanged folders and edits.
    pub edits: Vec<Edits>,
    /// Idle apps.
    pub memory: Vec<Held>,
    /// Many starts and ends.
    pub crowd: Option<Lives>,
}

impl Report {
    /// Prints tables in Markdown, or one JSON object.
    pub fn print(&self, as_json: bool) -> Result<()> {
        if as_json {
            println!("{}", serde_json::to_string_pretty(&self.json())?);
            return Ok(());
        }
        println!("{}\n{}\n{}", self.times(), self.sizes(), self.held());
        if let Some(Lives {
            apps,
            start_seconds,
            stop_seconds,
        }) = self.crowd
        {
            println!(
                "{apps} built apps: all answer {start_seconds:.1} s after `serve` (target ≤10 for 100), \
                 gone in {stop_seconds:.1} s (target ≤3)"
            );
        }
        Ok(())
    }

    fn times(&self) -> Table {
        let mut table = Table::new(&[
            "seconds",
            "first `up`",
            "unchanged p50",
            "p95",
            "edit p50",
            "p95",
            "docker edit p50",
            "p95",
            "edit ÷ docker",
            "docker build, unchanged",
        ]);
        for edits in &self.edits {
            let docker = edits.docker.as_ref();
            let their = |at: f64| docker.map_or("–".into(), |docker| seconds(&docker.edit, at));
            let ratio = docker.map(|docker| middle(&edits.edit) / middle(&docker.edit));
            let first = self
                .first
                .get(&edits.kind)
                .filter(|first| !first.is_empty());
            table.row([
                edits.kind.to_string(),
                first.map_or("–".into(), |first| seconds(first, 0.5)),
                seconds(&edits.unchanged, 0.5),
                seconds(&edits.unchanged, 0.95),
                seconds(&edits.edit, 0.5),
                seconds(&edits.edit, 0.95),
                their(0.5),
                their(0.95),
                ratio.map_or("–".into(), |ratio| format!("{ratio:.2}")),
                docker.map_or("–".into(), |docker| seconds(&docker.unchanged, 0.5)),
            ]);
        }
        table
    }

    fn sizes(&self) -> Table {
        let columns = ["MB", "mayfly's layers, compressed", "docker's, unpacked"];
        let mut table = Table::new(&columns);
        for edits in &self.edits {
            let docker = edits.docker.as_ref();
            table.row([
                edits.kind.to_string(),
                mega(edits.image_bytes),
                docker.map_or("–".into(), |docker| mega(docker.image_bytes)),
            ]);
        }
        table
    }

    fn held(&self) -> Table {
        let columns = [
            "idle apps: PSS in MB",
            "daemon",
            "supervisors",
            "inits",
            "in all",
        ];
        let mut table = Table::new(&columns);
        for held in &self.memory {
            table.row([
                held.apps.to_string(),
                mega(held.daemon_bytes),
                format!("{} ({})", mega(held.supervisors_bytes), held.supervisors),
                format!("{} ({})", mega(held.inits_bytes), held.inits),
                mega(held.total_bytes()),
            ]);
        }
        table
    }

    fn json(&self) -> Value {
        let all = |times: &[Duration]| times.iter().map(Duration::as_secs_f64).collect::<Vec<_>>();
        let edits = self.edits.iter().map(|edits| {
            json!({
                "kind": edits.kind,
                "first_seconds": self.first.get(&edits.kind).map(|first| all(first)),
                "unchanged_seconds": all(&edits.unchanged),
                "edit_seconds": all(&edits.edit),
                "image_bytes": edits.image_bytes,
                "docker": edits.docker.as_ref().map(|docker| json!({
                    "unchanged_seconds": all(&docker.unchanged),
                    "edit_seconds": all(&docker.edit),
                    "image_bytes": docker.image_bytes,
                })),
            })
        });
        json!({
            "apps": edits.collect::<Vec<_>>(),
            "memory": self.memory,
            "crowd": self.crowd,
        })
    }
}

fn middle(times: &[Duration]) -> f64 {
    median(&times.iter().map(Duration::as_secs_f64).collect::<Vec<_>>())
}

fn seconds(times: &[Duration], at: f64) -> String {
    let times: Vec<_> = times.iter().map(Duration::as_secs_f64).collect();
    format!("{:.3}", quantile(&times, at))
}

fn mega(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / 1e6)
}

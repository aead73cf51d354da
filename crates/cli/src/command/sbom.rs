//! `mayfly sbom`: what is in an app's image.

use api::types::Query;
use model::failure::Failure;
use model::inventory::{Diff, Inventory, Package, Presence};
use model::progress::clean_line;
use model::{AppName, ReleaseNumber};

use super::rollback::release;
use crate::app_choice;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Paint, Reader, Style, Table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app; by default that of the current folder
    app: Option<AppName>,
    /// The release; by default the one that serves
    #[arg(long, value_name = "N", value_parser = release)]
    release: Option<ReleaseNumber>,
    /// Print the document that was signed, as other tools read it
    #[arg(long, conflicts_with_all = ["diff", "json"])]
    format: Option<Format>,
    /// Show what changed since this release
    #[arg(long, value_name = "M", value_parser = release)]
    diff: Option<ReleaseNumber>,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// SPDX 2.3, JSON
    Spdx,
    /// CycloneDX 1.6, JSON
    Cyclonedx,
}

impl Format {
    fn as_str(self) -> &'static str {
        match self {
            Self::Spdx => "spdx",
            Self::Cyclonedx => "cyclonedx",
        }
    }
}

/// How wide the column of licences is at most; `--json` and documents have all of each.
const LICENCE_COLUMNS: usize = 40;

/// Prints the list, or what changed in it.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        let app = app_choice::choose(&mut client, args.app).await?;
        let mut query = Query::new();
        if let Some(number) = args.release {
            query.insert("release".into(), number.to_string());
        }
        let reader = Reader::of_flag(args.json);
        let style = Style::of_stdout();
        if let Some(format) = args.format {
            query.insert("format".into(), format.as_str().into());
            face::bytes(&client.bill(&app, &query).await?);
            return Ok(Exit::Ok);
        }
        if let Some(before) = args.diff {
            query.insert("before".into(), before.to_string());
            let diff = client.bill_diff(&app, &query).await?;
            match reader {
                Reader::Program => face::json(&diff),
                Reader::Person => face::line(&changes(&diff, style)),
            }
            return Ok(Exit::Ok);
        }
        let inventory = client.inventory(&app, &query).await?;
        match reader {
            Reader::Program => face::json(&inventory),
            Reader::Person => face::line(&list(&inventory, style)),
        }
        Ok(Exit::Ok)
    })
}

fn list(inventory: &Inventory, style: Style) -> String {
    let mut table = Table::new(style, ["PACKAGE", "VERSION", "KIND", "LICENCE", "HOW"]);
    for package in inventory.packages() {
        table.row([
            clean_line(&package.name),
            version(package),
            package.ecosystem.as_str().to_owned(),
            licence(package),
            how(package.presence).to_owned(),
        ]);
    }
    let problems = inventory.problems().iter().map(|problem| {
        let text = format!("{}: {}", problem.path, problem.detail);
        style.paint(Paint::Warn, clean_line(&text))
    });
    let count = format!("{} packages", inventory.packages().len());
    let blocks = [table.to_string()]
        .into_iter()
        .chain(problems)
        .chain([count]);
    blocks.collect::<Vec<_>>().join("\n")
}

fn version(package: &Package) -> String {
    clean_line(package.version.as_deref().unwrap_or("none"))
}

/// The expression, as much of it as fits beside the rest.
fn licence(package: &Package) -> String {
    let whole = clean_line(package.licence.as_deref().unwrap_or("not stated"));
    match whole.chars().count() > LICENCE_COLUMNS {
        true => whole
            .chars()
            .take(LICENCE_COLUMNS - 1)
            .chain(['…'])
            .collect(),
        false => whole,
    }
}

fn how(presence: Presence) -> &'static str {
    match presence {
        Presence::Installed => "installed",
        Presence::Runtime => "runs on it",
        Presence::Declared => "declared only",
    }
}

fn changes(diff: &Diff, style: Style) -> String {
    if diff.is_empty() {
        return "the same packages".to_owned();
    }
    let added = diff.added.iter().map(|one| {
        let text = format!("+ {} {}", one.name, one.version);
        style.paint(Paint::Good, clean_line(&text))
    });
    let removed = diff.removed.iter().map(|one| {
        let text = format!("- {} {}", one.name, one.version);
        style.paint(Paint::Bad, clean_line(&text))
    });
    let changed = diff.changed.iter().map(|one| {
        let text = format!("~ {} {} → {}", one.name, one.from, one.to);
        style.paint(Paint::Warn, clean_line(&text))
    });
    added
        .chain(removed)
        .chain(changed)
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::inventory::{Change, Ecosystem, Purl, Versioned};

    #[test]
    fn a_list_says_how_each_package_is_there() {
        let package = |name: &str, presence| Package {
            presence,
            licence: Some("MIT".to_owned()),
            ..Package::new(
                Purl::npm(name, "1.0"),
                Ecosystem::Npm,
                name,
                "1.0".to_owned(),
            )
        };
        let inventory = Inventory::new(vec![
            package("b\u{1b}[2J", Presence::Declared),
            package("a", Presence::Installed),
        ]);
        insta::assert_snapshot!(list(&inventory, Style::Plain), @r"
        PACKAGE   VERSION   KIND   LICENCE   HOW
        a         1.0       npm    MIT       installed
        b         1.0       npm    MIT       declared only
        2 packages
        ");
    }

    #[test]
    fn a_difference_is_told_by_its_sign() {
        let one = |name: &str| Versioned {
            ecosystem: Ecosystem::Npm,
            presence: Presence::Installed,
            name: name.to_owned(),
            version: "1".to_owned(),
        };
        let diff = Diff {
            added: vec![one("new")],
            removed: vec![one("old")],
            changed: vec![Change {
                ecosystem: Ecosystem::Npm,
                presence: Presence::Installed,
                name: "both".to_owned(),
                from: "1".to_owned(),
                to: "2".to_owned(),
            }],
        };
        insta::assert_snapshot!(changes(&diff, Style::Plain), @r"
        + new 1
        - old 1
        ~ both 1 → 2
        ");
        assert_eq!(changes(&Diff::default(), Style::Plain), "the same packages");
    }
}

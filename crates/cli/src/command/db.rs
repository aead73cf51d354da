//! `mayfly db`: the data about known vulnerabilities.

use std::path::{Path, PathBuf};
use std::time::Instant;

use api::gates::ImportRequest;
use model::advisory::{AdvisoryFacts, DataChange};
use model::failure::{Failure, FailureCode};
use server::download;

use super::moment;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Reader, Seconds, Style, Table};

/// What apps are made of.
const ECOSYSTEMS: [&str; 5] = ["PyPI", "npm", "Debian", "Go", "crates.io"];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
    /// Print a JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Fetch the newest data, and match what runs against it
    Update {
        /// Ecosystems, as OSV names them [default: PyPI npm Debian Go crates.io]
        ecosystems: Vec<String>,
        /// Where archives lie, each at ECOSYSTEM/all.zip below it
        #[arg(long, value_name = "URL", default_value = download::OSV)]
        from: String,
        /// Take data that has far fewer or older records than what is there
        #[arg(long)]
        any_change: bool,
    },
    /// Take data from archives, one an ecosystem, and match what runs against it
    Import {
        /// Archives of OSV records (all.zip)
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Take data that has far fewer or older records than what is there
        #[arg(long)]
        any_change: bool,
    },
    /// Show what data there is
    Status,
}

/// Does what was asked.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let reader = Reader::of_flag(args.json);
    match &args.action {
        Action::Status => status(reader),
        Action::Import { files, any_change } => {
            let archives = files
                .iter()
                .map(|file| whole(file))
                .collect::<Result<_, _>>()?;
            import(archives, change(*any_change), reader)
        }
        Action::Update {
            ecosystems,
            from,
            any_change,
        } => {
            let folder = tempfile::tempdir().map_err(no_room)?;
            let wanted: Vec<&str> = match ecosystems.is_empty() {
                true => ECOSYSTEMS.to_vec(),
                false => ecosystems.iter().map(String::as_str).collect(),
            };
            let mut archives = Vec::new();
            for ecosystem in wanted {
                let begun = Instant::now();
                let file = download::archive(from, ecosystem, folder.path())?;
                if reader == Reader::Person {
                    let size = std::fs::metadata(&file).map_or(0, |metadata| metadata.len());
                    let took = Seconds(begun.elapsed().as_secs_f64());
                    face::note(&format!("{ecosystem}: {} KiB ({took})", size / 1024));
                }
                archives.push(file);
            }
            import(archives, change(*any_change), reader)
        }
    }
}

fn change(any: bool) -> DataChange {
    match any {
        true => DataChange::Any,
        false => DataChange::Plausible,
    }
}

/// The daemon reads the file, from another folder.
fn whole(file: &Path) -> Result<PathBuf, Failure> {
    std::fs::canonicalize(file).map_err(|error| {
        Failure::new(
            FailureCode::Usage,
            format!("`{}` cannot be read", file.display()),
        )
        .because(error.to_string())
        .hint("name an archive of OSV records, such as PyPI's all.zip")
    })
}

fn no_room(error: std::io::Error) -> Failure {
    Failure::new(
        FailureCode::Machine,
        "no folder can be made for what is fetched",
    )
    .because(error.to_string())
    .hint("set TMPDIR to a folder with room")
}

fn import(archives: Vec<PathBuf>, change: DataChange, reader: Reader) -> Result<Exit, Failure> {
    daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        let facts = client
            .import_advisories(&ImportRequest { archives, change })
            .await?;
        show(Some(&facts), reader);
        Ok(Exit::Ok)
    })
}

fn status(reader: Reader) -> Result<Exit, Failure> {
    daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        show(client.advisories().await?.as_ref(), reader);
        Ok(Exit::Ok)
    })
}

fn show(facts: Option<&AdvisoryFacts>, reader: Reader) {
    match (reader, facts) {
        (Reader::Program, facts) => face::json(&facts),
        (Reader::Person, Some(facts)) => face::line(&table(facts, Style::of_stdout())),
        (Reader::Person, None) => {
            face::note("there is no vulnerability data; run `mayfly db update`");
        }
    }
}

fn table(facts: &AdvisoryFacts, style: Style) -> String {
    let mut table = Table::new(
        style,
        [
            "ECOSYSTEM",
            "RECORDS",
            "MALICIOUS",
            "PACKAGES",
            "NEWEST",
            "ODD",
        ],
    );
    for one in &facts.ecosystems {
        let name = match one.releases.is_empty() {
            true => one.name.clone(),
            false => format!("{} {}", one.name, one.releases.join(", ")),
        };
        table.row([
            name,
            one.records.to_string(),
            one.malicious.to_string(),
            one.packages.to_string(),
            one.modified.map_or("-".to_owned(), moment::shown),
            one.quirks.join("; "),
        ]);
    }
    table.to_string()
}

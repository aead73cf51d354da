//! `mayfly key`: the keys that the server signs with.

use std::path::{Path, PathBuf};

use api::supply::{KnownKey, RevokeRequest};
use api::types::Query;
use model::failure::{Failure, FailureCode};
use model::{AppName, Timestamp};

use super::moment;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Reader, Style, Table};

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
    /// Show every key, and when it counts
    List,
    /// Let a new key take over
    Rotate,
    /// Let nothing count any more that a key signed from a moment on
    Revoke {
        /// The key's id, or the beginning of it; by default the one that signs now
        key: Option<String>,
        /// From when on: `2026-01-31`, `2026-01-31T12:00:00Z` or `2h` ago [default: now]
        #[arg(long, value_name = "TIME", value_parser = moment::past)]
        from: Option<Timestamp>,
    },
    /// Write the public keys, and the commands that verify an app with cosign
    Export {
        /// The app; without one, the commands have a gap
        app: Option<AppName>,
        /// The folder that they are written to; it is made
        #[arg(long, value_name = "DIR", default_value = "mayfly-keys")]
        to: PathBuf,
    },
}

/// Does what was asked.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let reader = Reader::of_flag(args.json);
    daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        match &args.action {
            Action::List => {
                let keys = client.keys().await?;
                match reader {
                    Reader::Program => face::json(&keys),
                    Reader::Person => face::line(&table(&keys, Style::of_stdout())),
                }
            }
            Action::Rotate => told(reader, &client.rotate_key().await?),
            Action::Revoke { key, from } => {
                let request = RevokeRequest {
                    key: key.clone(),
                    from: from.unwrap_or_else(Timestamp::now),
                };
                told(reader, &client.revoke_key(&request).await?);
                if reader == Reader::Person {
                    face::note("`mayfly status APP` lists the releases that this concerns");
                }
            }
            Action::Export { app, to } => {
                let mut query = Query::new();
                if let Some(app) = app {
                    query.insert("app".into(), app.to_string());
                }
                let export = client.export_keys(&query).await?;
                write(to, &export.files)?;
                match reader {
                    Reader::Program => face::json(&export),
                    Reader::Person => {
                        face::note(&format!("written to {}; there, run:", to.display()));
                        for (heading, command) in &export.commands {
                            face::line(&format!("# {heading}\n{command}"));
                        }
                    }
                }
            }
        }
        Ok(Exit::Ok)
    })
}

fn told(reader: Reader, key: &KnownKey) {
    match reader {
        Reader::Program => face::json(key),
        Reader::Person => face::line(&format!("key {} signs from now on", key.id.short())),
    }
}

fn table(keys: &[KnownKey], style: Style) -> String {
    let mut table = Table::new(style, ["KEY", "FROM", "UNTIL", "REVOKED FROM"]);
    let time = |at: Option<Timestamp>| at.map_or("-".to_owned(), moment::shown);
    for key in keys {
        table.row([
            key.id.short(),
            moment::shown(key.validity.from),
            time(key.validity.until),
            time(key.validity.revoked_from),
        ]);
    }
    table.to_string()
}

/// Writes files into a folder, which is made.
pub(crate) fn write(folder: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    let unwritable = |cause: std::io::Error| {
        let text = format!("`{}` cannot be written to", folder.display());
        Failure::new(FailureCode::Usage, text)
            .because(cause.to_string())
            .hint("name another folder with `--to DIR`")
    };
    for (name, content) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&path, content))
            .map_err(unwritable)?;
    }
    Ok(())
}

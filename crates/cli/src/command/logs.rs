//! `mayfly logs`: what an app printed.

use api::types::LogQuery;
use model::failure::Failure;
use model::progress::clean_line;
use model::{AppName, ReleaseNumber};

use super::rollback::release;
use crate::app_choice;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Reader};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app; by default that of the current folder
    app: Option<AppName>,
    /// Go on with new lines as they come
    #[arg(short, long)]
    follow: bool,
    /// The lines of this release; by default the one that serves
    #[arg(long, value_name = "N", value_parser = release)]
    release: Option<ReleaseNumber>,
    /// How many of the last lines
    #[arg(short = 'n', long, default_value_t = 100)]
    lines: usize,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints the lines, oldest first.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let reader = Reader::of_flag(args.json);
    daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        let app = app_choice::choose(&mut client, args.app).await?;
        let query = LogQuery {
            release: args.release,
            lines: Some(args.lines),
            follow: args.follow,
        };
        let print = |entry: api::types::LogLine| {
            match reader {
                Reader::Program => face::json(&entry),
                Reader::Person => face::line(&clean_line(&entry.line)),
            }
            true
        };
        client.logs(&app, &query, print).await?;
        Ok(Exit::Ok)
    })
}

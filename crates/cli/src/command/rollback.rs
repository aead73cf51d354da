//! `mayfly rollback`: an earlier release serves again.

use std::cell::RefCell;

use api::types::RollbackRequest;
use model::failure::Failure;
use model::{AppName, ReleaseNumber};

use super::watch::{settle, watch};
use crate::app_choice;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{Detail, Face, Reader};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app; by default that of the current folder
    app: Option<AppName>,
    /// The release to go back to; by default the one before the current one
    #[arg(long, value_name = "N", value_parser = release)]
    to: Option<ReleaseNumber>,
    /// Print one JSON object a line, the result last
    #[arg(long)]
    pub(crate) json: bool,
}

/// Goes back; image, settings and secret values together.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        let app = app_choice::choose(&mut client, args.app).await?;
        let face = RefCell::new(Face::new(Reader::of_flag(args.json), Detail::Brief));
        let request = RollbackRequest { to: args.to };
        let run = client.rollback(&app, &request, |progress| face.borrow_mut().show(progress));
        let end = watch(&face, run).await;
        settle(&face, end)
    })
}

/// Reads a release's number, `3` or `r3`.
pub(crate) fn release(text: &str) -> Result<ReleaseNumber, String> {
    let number = text.strip_prefix('r').unwrap_or(text);
    ReleaseNumber::parse(number).ok_or_else(|| "a release is a number, 1 or more".to_owned())
}

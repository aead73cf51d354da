//! `mayfly restore`: a destroyed app comes back.

use std::cell::RefCell;

use model::AppName;
use model::failure::Failure;

use super::watch::{settle, watch};
use crate::daemon;
use crate::exit::Exit;
use crate::face::{Detail, Face, Reader};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app
    app: AppName,
    /// Print one JSON object a line, the result last
    #[arg(long)]
    pub(crate) json: bool,
}

/// Brings the app back with its data.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        let face = RefCell::new(Face::new(Reader::of_flag(args.json), Detail::Brief));
        let run = client.restore(&args.app, |progress| face.borrow_mut().show(progress));
        let end = watch(&face, run).await;
        settle(&face, end)
    })
}

//! `mayfly destroy`: an app goes; it can be restored for a while.

use std::io::{self, IsTerminal, Write};

use api::types::Destroyed;
use model::AppName;
use model::failure::{Failure, FailureCode};

use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Bytes, Reader};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app
    app: AppName,
    /// Do not ask; needed with --json and where nobody can answer
    #[arg(long)]
    confirm_destructive: bool,
    /// Print the result as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Asks, unless told not to, and destroys the app.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    confirm(args)?;
    let destroyed = daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        Ok::<Destroyed, Failure>(client.destroy(&args.app).await?)
    })?;
    match Reader::of_flag(args.json) {
        Reader::Program => face::json(&destroyed),
        Reader::Person => {
            let Destroyed {
                app,
                restorable_until,
                freed_bytes,
            } = &destroyed;
            let until = restorable_until.strftime("%Y-%m-%d %H:%M UTC");
            let freed = Bytes(*freed_bytes);
            face::line(&format!("{app} is destroyed; {freed} were freed"));
            face::line(&format!(
                "until {until}, `mayfly restore {app}` brings it back"
            ));
        }
    }
    Ok(Exit::Ok)
}

fn confirm(args: &Args) -> Result<(), Failure> {
    if args.confirm_destructive {
        return Ok(());
    }
    let someone_answers = io::stdin().is_terminal() && io::stderr().is_terminal();
    if args.json || !someone_answers {
        let message = format!("destroying `{}` has to be confirmed", args.app);
        let hint = format!("run `mayfly destroy {} --confirm-destructive`", args.app);
        return Err(Failure::new(FailureCode::Usage, message).hint(hint));
    }
    let _ = write!(io::stderr(), "Type {} to destroy it: ", args.app);
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    match read.is_ok() && answer.trim() == args.app.as_str() {
        true => Ok(()),
        false => Err(Failure::new(FailureCode::Usage, "nothing was destroyed")),
    }
}

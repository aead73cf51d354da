//! `mayfly open`: an app in the browser.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use model::AppName;
use model::failure::Failure;

use crate::app_choice;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Reader};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app; by default that of the current folder
    app: Option<AppName>,
    /// Print the app as a JSON object, and open nothing
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints the URL, and opens it where there is a desktop.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let app = daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        let app = app_choice::choose(&mut client, args.app).await?;
        Ok::<_, Failure>(client.app(&app).await?)
    })?;
    match Reader::of_flag(args.json) {
        Reader::Program => face::json(&app.summary),
        Reader::Person => {
            face::line(&app.summary.url);
            show(&app.summary.url);
        }
    }
    Ok(Exit::Ok)
}

/// Hands the URL to the desktop, when there is one. The browser holds nothing of this terminal.
fn show(url: &str) {
    let desktop = ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some());
    if desktop {
        let opened = Command::new("xdg-open")
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        if opened.is_err() {
            face::note("xdg-open is not installed: open the URL yourself");
        }
    }
}

//! `mayfly doctor`: has the machine what mayfly needs?

use api::types::DoctorCheck;
use api::{Client, paths};
use model::failure::{Failure, Remedy};

use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Paint, Reader, Style};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Check this Debian mirror in place of the machine's own
    #[arg(long, value_name = "URL")]
    mirror: Option<String>,
    /// Print a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints each check; fails when one does.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let home = paths::home();
    let mut checks = server::doctor(&home, args.mirror.as_deref());
    checks.push(daemon::runtime()?.block_on(daemon_check()));
    match Reader::of_flag(args.json) {
        Reader::Program => face::json(&checks),
        Reader::Person => face::line(&report(&checks, Style::of_stdout())),
    }
    Ok(match checks.iter().all(|check| check.ok) {
        true => Exit::Ok,
        false => Exit::Failed,
    })
}

/// Whether a daemon answers. None is well too: `up` starts one.
async fn daemon_check() -> DoctorCheck {
    let check = |ok, detail: String, remedy| DoctorCheck {
        name: "daemon".to_owned(),
        ok,
        detail,
        remedy,
    };
    let health = match Client::connect(&paths::home()).await {
        Ok(mut client) => client.health().await,
        Err(api::ClientError::NotRunning { .. }) => {
            return check(true, "does not run; `mayfly up` starts it".to_owned(), None);
        }
        Err(cause) => Err(cause),
    };
    match health {
        Ok(health) if health.version == env!("CARGO_PKG_VERSION") => check(
            true,
            format!("version {}, port {}", health.version, health.port),
            None,
        ),
        Ok(health) => check(
            false,
            format!(
                "version {}, this program is {}",
                health.version,
                env!("CARGO_PKG_VERSION")
            ),
            Some("mayfly stop --keep-apps && mayfly serve --detach".to_owned()),
        ),
        Err(cause) => check(false, cause.to_string(), cause.hint()),
    }
}

fn report(checks: &[DoctorCheck], style: Style) -> String {
    let line = |check: &DoctorCheck| {
        let mark = match check.ok {
            true => style.paint(Paint::Good, "ok     "),
            false => style.paint(Paint::Bad, "missing"),
        };
        let remedy = check.remedy.as_ref().filter(|_| !check.ok);
        let remedy = remedy.map_or_else(String::new, |remedy| format!("\n         hint: {remedy}"));
        format!("{mark}  {}: {}{remedy}", check.name, check.detail)
    };
    checks.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_check_comes_with_its_remedy() {
        let check = |name: &str, ok, remedy: Option<&str>| DoctorCheck {
            name: name.into(),
            ok,
            detail: "as found".into(),
            remedy: remedy.map(str::to_owned),
        };
        let checks = [
            check("user namespaces", true, Some("not shown")),
            check("mirror", false, Some("mayfly serve --mirror URL")),
        ];
        insta::assert_snapshot!(report(&checks, Style::Plain), @"
        ok       user namespaces: as found
        missing  mirror: as found
                 hint: mayfly serve --mirror URL
        ");
    }
}

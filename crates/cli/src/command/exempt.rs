//! `mayfly exempt`: lets something pass for a while.

use api::gates::{ExemptRequest, Exempted};
use model::exemption::{GrantedExemption, Justification};
use model::failure::{Failure, FailureCode};
use model::{AppName, Timestamp};

use super::moment;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Reader, Style, Table};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// What may pass: a finding's fingerprint, a rule, or a vulnerability's name
    #[arg(required = true)]
    target: Option<String>,
    /// The app
    #[arg(long, required = true)]
    app: Option<AppName>,
    /// Only in this file, or below this folder of the app
    #[arg(long)]
    path: Option<String>,
    /// When it ends: `2026-01-31`, `2026-01-31T12:00:00Z` or in `30d`
    #[arg(long, value_name = "DATE", required = true, value_parser = moment::end)]
    until: Option<Timestamp>,
    /// Why; whoever reads the app's record sees it
    #[arg(long, required = true)]
    reason: Option<String>,
    /// For a vulnerability: why the app is not affected by it, as OpenVEX names it
    #[arg(long, value_enum)]
    justification: Option<Why>,
    /// Print a JSON object
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show everything that was ever let pass for an app
    List {
        /// The app
        #[arg(long)]
        app: AppName,
        /// Print what is let pass of known vulnerabilities, as an OpenVEX document
        #[arg(long)]
        vex: bool,
    },
    /// Take back what was let pass
    Revoke {
        /// Its id, or the beginning of it
        id: String,
        /// The app
        #[arg(long)]
        app: AppName,
    },
}

/// The justifications of OpenVEX.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Why {
    /// The package is not there
    ComponentNotPresent,
    /// The package is there without the faulty code
    VulnerableCodeNotPresent,
    /// The faulty code is never run
    VulnerableCodeNotInExecutePath,
    /// The faulty code is never run with anything that a stranger sent
    VulnerableCodeCannotBeControlledByAdversary,
    /// Something else keeps it from doing harm
    InlineMitigationsAlreadyExist,
}

impl From<Why> for Justification {
    fn from(why: Why) -> Self {
        match why {
            Why::ComponentNotPresent => Self::ComponentNotPresent,
            Why::VulnerableCodeNotPresent => Self::VulnerableCodeNotPresent,
            Why::VulnerableCodeNotInExecutePath => Self::VulnerableCodeNotInExecutePath,
            Why::VulnerableCodeCannotBeControlledByAdversary => {
                Self::VulnerableCodeCannotBeControlledByAdversary
            }
            Why::InlineMitigationsAlreadyExist => Self::InlineMitigationsAlreadyExist,
        }
    }
}

/// Does what was asked.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let reader = Reader::of_flag(args.json);
    daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        match args.action {
            Some(Action::List { app, vex: true }) => face::json(&client.vex(&app).await?),
            Some(Action::List { app, vex: false }) => {
                let all = client.exemptions(&app).await?;
                match reader {
                    Reader::Program => face::json(&all),
                    Reader::Person => face::line(&table(&all, Style::of_stdout())),
                }
            }
            Some(Action::Revoke { id, app }) => {
                let revoked = client.revoke_exemption(&app, &id).await?;
                match reader {
                    Reader::Program => face::json(&revoked),
                    Reader::Person => face::note(&format!(
                        "`{}` no longer passes; running releases stay, the next `mayfly up` of {app} is stopped by it",
                        revoked.exemption.target
                    )),
                }
            }
            None => {
                let (app, request) = request(&args)?;
                let exempted = client.exempt(&app, &request).await?;
                match reader {
                    Reader::Program => face::json(&exempted),
                    Reader::Person => told(&exempted),
                }
            }
        }
        Ok(Exit::Ok)
    })
}

fn request(args: &Args) -> Result<(AppName, ExemptRequest), Failure> {
    let lacking = || {
        Failure::new(
            FailureCode::Usage,
            "an exemption needs a target, an app, an end and a reason",
        )
    };
    Ok((
        args.app.clone().ok_or_else(lacking)?,
        ExemptRequest {
            target: args.target.clone().ok_or_else(lacking)?,
            path: args.path.clone(),
            until: args.until.ok_or_else(lacking)?,
            reason: args.reason.clone().ok_or_else(lacking)?,
            justification: args.justification.map(Justification::from),
        },
    ))
}

fn told(exempted: &Exempted) {
    let granted = &exempted.granted;
    face::line(&format!(
        "`{}` of {} passes until {} (exemption {})",
        granted.exemption.target,
        granted.app,
        moment::shown(granted.exemption.until),
        short(granted)
    ));
    if let Some(vex) = &exempted.vex {
        face::line(&serde_json::to_string_pretty(vex).unwrap_or_default());
    }
    face::note(&format!(
        "now run `mayfly up` in the folder of {}",
        granted.app
    ));
}

fn short(granted: &GrantedExemption) -> String {
    granted.id.hex()[..12].to_owned()
}

fn table(all: &[GrantedExemption], style: Style) -> String {
    let mut table = Table::new(
        style,
        ["ID", "TARGET", "PATH", "UNTIL", "BY", "STATE", "REASON"],
    );
    let now = Timestamp::now();
    for one in all {
        let state = match (one.holds_at(now), one.revoked_at) {
            (true, _) => "holds",
            (false, Some(_)) => "revoked",
            (false, None) => "over",
        };
        table.row([
            short(one),
            one.exemption.target.clone(),
            one.exemption.path.clone(),
            moment::shown(one.exemption.until),
            one.exemption.granted_by.clone(),
            state.to_owned(),
            one.exemption.reason.clone(),
        ]);
    }
    table.to_string()
}

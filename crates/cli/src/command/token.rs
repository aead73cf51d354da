//! `mayfly token`: what other people's tools show the registry.

use api::supply::{TokenRequest, TokenRight, TokenSummary};
use model::Timestamp;
use model::failure::Failure;

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
    /// Make a token and print it, this once
    Issue {
        /// What it is for, for people
        #[arg(long, default_value = "")]
        label: String,
        /// What the repositories begin with: `apps/shop`, `team` [default: every repository]
        #[arg(long, default_value = "", hide_default_value = true)]
        repository: String,
        /// It may push too; releases (`apps/…`) never take pushes
        #[arg(long)]
        push: bool,
        /// How long it is good
        #[arg(long = "for", value_name = "TIME", default_value = "30d", value_parser = moment::ahead)]
        until: Timestamp,
    },
    /// Show every token, never its secret
    List,
    /// Let a token give nothing any more
    Revoke {
        /// The token's id
        id: String,
    },
}

/// Does what was asked.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let reader = Reader::of_flag(args.json);
    daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        match &args.action {
            Action::Issue {
                label,
                repository,
                push,
                until,
            } => {
                let request = TokenRequest {
                    label: label.clone(),
                    prefix: repository.trim_end_matches('/').to_owned(),
                    right: match push {
                        true => TokenRight::Write,
                        false => TokenRight::Read,
                    },
                    expires_at: *until,
                };
                let token = client.issue_token(&request).await?;
                match reader {
                    Reader::Program => face::json(&token),
                    Reader::Person => {
                        face::note(&format!(
                            "good until {}; use it as the password of any user: docker login {}",
                            moment::shown(*until),
                            token.registry
                        ));
                        face::line(&token.secret);
                    }
                }
            }
            Action::List => {
                let tokens = client.tokens().await?;
                match reader {
                    Reader::Program => face::json(&tokens),
                    Reader::Person => face::line(&table(&tokens, Style::of_stdout())),
                }
            }
            Action::Revoke { id } => {
                client.revoke_token(id).await?;
                if reader == Reader::Person {
                    face::note("the token gives nothing any more");
                }
            }
        }
        Ok(Exit::Ok)
    })
}

fn table(tokens: &[TokenSummary], style: Style) -> String {
    let mut table = Table::new(style, ["TOKEN", "LABEL", "UNTIL", "FOR"]);
    for token in tokens {
        let until = match token.revoked_at {
            Some(_) => "revoked".to_owned(),
            None => moment::shown(token.expires_at),
        };
        let scopes = token.scopes.join(", ");
        table.row([token.id.clone(), token.label.clone(), until, scopes]);
    }
    table.to_string()
}

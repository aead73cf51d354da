//! `mayfly list`: all apps.

use api::types::AppSummary;
use model::Timestamp;
use model::failure::Failure;

use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Age, Reader, Style, Table};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints the apps.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let apps = daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        Ok::<_, Failure>(client.apps().await?)
    })?;
    match Reader::of_flag(args.json) {
        Reader::Program => face::json(&apps),
        Reader::Person if apps.is_empty() => {
            face::note("there are no apps yet: run `mayfly up` in a folder");
        }
        Reader::Person => face::line(&table(&apps, Timestamp::now(), Style::of_stdout())),
    }
    Ok(Exit::Ok)
}

fn table(apps: &[AppSummary], now: Timestamp, style: Style) -> String {
    let mut table = Table::new(style, ["APP", "STATE", "RELEASE", "UPDATED", "URL"]);
    for app in apps {
        let release = app
            .release
            .map_or_else(|| "-".into(), |number| number.to_string());
        table.row([
            app.name.to_string(),
            app.state.as_str().to_owned(),
            release,
            Age::between(app.updated_at, now).to_string(),
            app.url.clone(),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::types::AppState;
    use model::ReleaseNumber;
    use model::app::Owner;

    #[test]
    fn apps_stand_in_columns() {
        let app = |name: &str, state, release, age: i64| AppSummary {
            name: name.parse().expect("a good name"),
            state,
            kind: None,
            release,
            url: format!("http://{name}.localhost:7777"),
            local_url: "http://127.0.0.1:40001".into(),
            owner: Owner { uid: 0 },
            folder: "/home/ada/shop".into(),
            updated_at: Timestamp::from_second(-age).expect("a near moment"),
            expires_at: None,
            restorable_until: None,
        };
        let apps = [
            app("shop", AppState::Running, Some(ReleaseNumber::new(12)), 185),
            app(
                "expense-splitter",
                AppState::CrashLoop,
                Some(ReleaseNumber::FIRST),
                7300,
            ),
            app("poll", AppState::NeverReady, None, 1),
        ];
        insta::assert_snapshot!(table(&apps, Timestamp::UNIX_EPOCH, Style::Plain), @"
        APP                STATE         RELEASE   UPDATED       URL
        shop               running       12        3 min ago     http://shop.localhost:7777
        expense-splitter   crash loop    1         2 hours ago   http://expense-splitter.localhost:7777
        poll               never ready   -         just now      http://poll.localhost:7777
        ");
    }
}

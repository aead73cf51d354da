//! `mayfly status`: one app, whole.

use api::types::{AppStatus, AppSummary, ReleaseNow, ReleaseSummary};
use model::failure::Failure;
use model::finding::Finding;
use model::progress::clean_line;
use model::{AppName, Timestamp};

use super::advice;
use crate::app_choice;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Age, Bytes, Paint, Reader, Style, Table};

/// How many known vulnerabilities are shown.
const VULNERABILITIES_SHOWN: usize = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app; by default that of the current folder
    app: Option<AppName>,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Prints the app.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    let status = daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        let app = app_choice::choose(&mut client, args.app).await?;
        Ok::<_, Failure>(client.app(&app).await?)
    })?;
    match Reader::of_flag(args.json) {
        Reader::Program => face::json(&status),
        Reader::Person => face::line(&report(&status, Timestamp::now(), Style::of_stdout())),
    }
    Ok(Exit::Ok)
}

fn report(status: &AppStatus, now: Timestamp, style: Style) -> String {
    let mut blocks = vec![head(status, now, style)];
    if !status.releases.is_empty() {
        blocks.push(releases(&status.releases, now, style));
    }
    if !status.vulnerabilities.is_empty() {
        blocks.push(vulnerabilities(&status.vulnerabilities, style));
    }
    if !status.last_lines.is_empty() {
        let lines = status
            .last_lines
            .iter()
            .map(|line| format!("\n  | {}", clean_line(line)));
        blocks.push(format!("last lines{}", lines.collect::<String>()));
    }
    blocks.extend(
        advice::of(status)
            .iter()
            .map(|text| style.paint(Paint::Warn, text)),
    );
    blocks.join("\n\n")
}

fn head(status: &AppStatus, now: Timestamp, style: Style) -> String {
    let AppSummary {
        name,
        state,
        kind,
        release,
        url,
        local_url,
        folder,
        updated_at,
        ..
    } = &status.summary;
    let release = release.map_or_else(String::new, |number| format!(", release {number}"));
    let age = Age::between(*updated_at, now);
    let title = format!("{name}: {}{release}, {age}", state.as_str());
    let memory = status.memory_bytes.map(|bytes| Bytes(bytes).to_string());
    let restorable = status.summary.restorable_until.map(|until| {
        format!(
            "until {}, with `mayfly restore {name}`",
            until.strftime("%Y-%m-%d %H:%M UTC")
        )
    });
    let ends = status
        .summary
        .expires_at
        .map(|end| end.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let fields = [
        ("url", Some(url.clone())),
        ("local url", Some(local_url.clone())),
        ("kind", kind.clone()),
        ("folder", Some(folder.display().to_string())),
        ("memory", memory),
        ("data", Some(Bytes(status.data_bytes).to_string())),
        ("kept", list(&status.kept)),
        ("secrets", list(&status.env_keys)),
        ("ends", ends),
        ("restorable", restorable),
    ];
    let line = |(name, value): (&str, Option<String>)| {
        let name = style.paint(Paint::Dim, format!("{name:10}"));
        value.map(|value| format!("\n  {name} {}", clean_line(&value)))
    };
    let lines: String = fields.into_iter().filter_map(line).collect();
    format!("{}{lines}", style.paint(Paint::Strong, title))
}

fn releases(releases: &[ReleaseSummary], now: Timestamp, style: Style) -> String {
    let mut table = Table::new(style, ["RELEASE", "NOW", "MADE", "SIZE", "URL"]);
    for release in releases {
        table.row([
            release.number.to_string(),
            match release.now {
                ReleaseNow::Serving => "serving",
                ReleaseNow::Warm => "warm",
                ReleaseNow::Stopped => "stopped",
            }
            .to_owned(),
            Age::between(release.created_at, now).to_string(),
            Bytes(release.size_bytes).to_string(),
            release.url.clone(),
        ]);
    }
    table.to_string()
}

fn vulnerabilities(findings: &[Finding], style: Style) -> String {
    let mut table = Table::new(
        style,
        ["VULNERABILITY", "PACKAGE", "SEVERITY", "FIXED IN", "BY"],
    );
    for finding in findings.iter().take(VULNERABILITIES_SHOWN) {
        let fixed = finding.fix.as_ref().map(|fix| fix.to.clone());
        let by = finding.path.first().filter(|_| finding.path.len() > 1);
        let by = by.map(|purl| purl.split('/').skip(1).collect::<Vec<_>>().join("/"));
        let severity = serde_json::to_value(finding.severity).unwrap_or_default();
        table.row([
            clean_line(&finding.rule_id),
            clean_line(&finding.snippet),
            severity.as_str().unwrap_or_default().to_owned(),
            fixed.map_or("-".to_owned(), |fixed| clean_line(&fixed)),
            by.map_or("-".to_owned(), |by| clean_line(&by)),
        ]);
    }
    match findings.len().saturating_sub(VULNERABILITIES_SHOWN) {
        0 => table.to_string(),
        more => format!("{table}\nand {more} more; `mayfly status --json` has all"),
    }
}

fn list(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::types::AppState;
    use model::app::Owner;
    use model::instance::DeniedEgress;
    use model::rollout::Phase;
    use model::{Digest, ReleaseNumber};

    fn status() -> AppStatus {
        let ago = |seconds: i64| Timestamp::from_second(-seconds).expect("a near moment");
        let release = |number, now, seconds: i64| ReleaseSummary {
            number: ReleaseNumber::new(number),
            digest: Digest::of(b"image"),
            size_bytes: 12 * 1024 * 1024,
            phase: Phase::Promoted { at: ago(seconds) },
            now,
            url: format!("http://r{number}-shop.localhost:7777"),
            created_at: ago(seconds),
        };
        AppStatus {
            summary: AppSummary {
                name: "shop".parse().expect("a good name"),
                state: AppState::CrashLoop,
                kind: Some("Python app".into()),
                release: Some(ReleaseNumber::new(3)),
                url: "http://shop.localhost:7777".into(),
                local_url: "http://127.0.0.1:40001".into(),
                owner: Owner { uid: 1000 },
                folder: "/home/ada/shop".into(),
                updated_at: ago(185),
                expires_at: None,
                restorable_until: None,
            },
            releases: vec![
                release(3, ReleaseNow::Serving, 185),
                release(2, ReleaseNow::Warm, 4000),
            ],
            plan: None,
            memory_bytes: Some(34 * 1024 * 1024),
            data_bytes: 8192,
            kept: vec!["shop.db".into(), "uploads/".into()],
            will_be_kept: vec!["orders.sqlite".into()],
            will_be_lost: vec!["notes.json".into()],
            denied: vec![DeniedEgress {
                host: "api.example.com".into(),
                port: 443,
            }],
            env_keys: vec!["API_KEY".into()],
            last_lines: vec!["Traceback:".into(), "KeyError: '\u{1b}[31mx'".into()],
            vulnerabilities: Vec::new(),
            notices: vec!["the app listens on port 5000, not on $PORT".into()],
        }
    }

    #[test]
    fn a_status_says_how_the_app_does_and_what_to_add() {
        let text = report(&status(), Timestamp::UNIX_EPOCH, Style::Plain);
        insta::assert_snapshot!(text, @r#"
        shop: crash loop, release 3, 3 min ago
          url        http://shop.localhost:7777
          local url  http://127.0.0.1:40001
          kind       Python app
          folder     /home/ada/shop
          memory     34 MB
          data       8 KB
          kept       shop.db, uploads/
          secrets    API_KEY

        RELEASE   NOW       MADE         SIZE    URL
        3         serving   3 min ago    12 MB   http://r3-shop.localhost:7777
        2         warm      66 min ago   12 MB   http://r2-shop.localhost:7777

        last lines
          | Traceback:
          | KeyError: 'x'

        written by the app, and goes with its release: notes.json
          to keep it, add to mayfly.toml:
            [run]
            keep = ["*.db", "*.sqlite*", "data/", "instance/", "uploads/", "notes.json"]

        was written while the app ran, and moves to its kept data with the next release: orders.sqlite

        asked for and was denied: api.example.com
          to allow it, add to mayfly.toml:
            [egress]
            allow = ["api.example.com"]

        the app listens on port 5000, not on $PORT
        "#);
    }
}

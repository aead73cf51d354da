//! `mayfly verify`: whether an image is what it says, judged here and not by the server.

use std::path::PathBuf;

use api::types::Query;
use model::attestation::PredicateType;
use model::failure::{Failure, FailureCode};
use model::verification::Row;
use model::{AppName, Digest, ReleaseNumber, Timestamp};
use serde::Serialize;
use server::judge::{self, Believed, Judgement};

use super::rollback::release;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Paint, Reader, Style};
use crate::witness;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// APP, APP@sha256:… or, for an image elsewhere, HOST/NAME@sha256:…
    image: String,
    /// The release; by default the one that serves
    #[arg(long, value_name = "N", value_parser = release)]
    release: Option<ReleaseNumber>,
    /// Judge by what is kept with the release, without asking the log how it is now
    #[arg(long)]
    offline: bool,
    /// Also ask a policy (Rego v1, see docs/signing.md); what it denies does not verify
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Believe whoever has this key: a public key in PEM
    #[arg(long, value_name = "FILE", conflicts_with = "identity")]
    key: Option<PathBuf>,
    /// Believe this identity: an address or a URI
    #[arg(long, requires = "issuer", requires = "trusted_root")]
    identity: Option<String>,
    /// The URL of who vouches for the identity
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Whom to believe about certificates and logs: a Sigstore trusted root
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// What must be signed about an image elsewhere, besides the image itself: a predicate type
    #[arg(long, value_name = "URI")]
    require: Vec<String>,
    /// Print a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Told<'a> {
    name: &'a str,
    verified: bool,
    #[serde(flatten)]
    judgement: &'a Judgement,
}

/// Prints what was found; exit 3 when anything is missing or does not hold.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let policy = args.policy.as_ref().map(read).transpose()?;
    let judgement = daemon::runtime()?.block_on(async {
        match args.image.contains('/') {
            true => outside(args).await,
            false => own(args).await,
        }
    })?;
    let judgement = match args.policy.as_ref().zip(policy) {
        Some((path, text)) => {
            judgement.by_policy(&path.display().to_string(), &text, Timestamp::now())?
        }
        None => judgement,
    };
    let verified = judgement.shortcomings.is_empty();
    match Reader::of_flag(args.json) {
        Reader::Program => face::json(&Told {
            name: &args.image,
            verified,
            judgement: &judgement,
        }),
        Reader::Person => face::line(&table(&args.image, &judgement, Style::of_stdout())),
    }
    match verified {
        true => Ok(Exit::Ok),
        false => Ok(Exit::Gate),
    }
}

async fn own(args: &Args) -> Result<Judgement, Failure> {
    let (app, query) = which(args)?;
    let mut client = daemon::connect().await?;
    let dossier = client.dossier(&app, &query).await?;
    if !args.offline {
        witness::check(&mut client).await?;
    }
    judge::judge(&dossier, Timestamp::now())
}

fn which(args: &Args) -> Result<(AppName, Query), Failure> {
    let usage = |why: String| Failure::new(FailureCode::Usage, why);
    let (app, image) = match args.image.split_once('@') {
        Some((app, image)) => (app, Some(image)),
        None => (args.image.as_str(), None),
    };
    let app = app
        .parse()
        .map_err(|error: model::app::AppNameError| usage(error.to_string()))?;
    let mut query = Query::new();
    if let Some(image) = image {
        let digest: Digest = image.parse().map_err(|_| {
            usage(format!(
                "`{image}` is no digest: it is `sha256:` and 64 digits"
            ))
        })?;
        query.insert("image".into(), digest.to_string());
    }
    if let Some(number) = args.release {
        query.insert("release".into(), number.to_string());
    }
    Ok((app, query))
}

async fn outside(args: &Args) -> Result<Judgement, Failure> {
    let believed = believed(args)?;
    let kinds: Vec<_> = args
        .require
        .iter()
        .map(|uri| PredicateType::from(uri.clone()))
        .collect();
    let credentials = credentials();
    let now = Timestamp::now();
    judge::judge_outside(&args.image, &believed, &kinds, credentials.as_deref(), now).await
}

fn believed(args: &Args) -> Result<Believed, Failure> {
    match (&args.key, &args.identity, &args.issuer, &args.trusted_root) {
        (Some(key), ..) => Ok(Believed::Key(read(key)?)),
        (None, Some(identity), Some(issuer), Some(root)) => Ok(Believed::Identity {
            identity: identity.clone(),
            issuer: issuer.clone(),
            trusted_root: read(root)?,
        }),
        _ => Err(Failure::new(
            FailureCode::Usage,
            "whom to believe about an image elsewhere is not said",
        )
        .hint(
            "give its signer's key with `--key FILE`, or `--identity`, `--issuer` and \
             `--trusted-root`",
        )),
    }
}

fn read(path: &PathBuf) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|cause| {
        let text = format!("`{}` cannot be read", path.display());
        Failure::new(FailureCode::Usage, text).because(cause.to_string())
    })
}

/// Where `docker login` keeps what it was told.
pub(crate) fn credentials() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".docker"));
    Some(folder.or_else(home)?.join("config.json"))
}

fn table(image: &str, judgement: &Judgement, style: Style) -> String {
    let mut lines = vec![format!("{image} {}", judgement.image)];
    lines.extend(judgement.report.rows.iter().map(|row| line(row, style)));
    if let Some(entry) = &judgement.entry {
        let text = format!(
            "{:<20} entry {} of {}, {}",
            "transparency log",
            entry.index + 1,
            entry.size,
            entry.at.strftime("%Y-%m-%d %H:%M:%S UTC")
        );
        lines.push(format!("  {} {text}", style.paint(Paint::Good, "✓")));
    }
    match judgement.shortcomings.is_empty() {
        true => lines.push(style.paint(Paint::Good, "verified")),
        false => {
            lines.push(style.paint(Paint::Bad, "not verified"));
            let why = judgement.shortcomings.iter();
            lines.extend(why.map(|why| format!("  {why}")));
        }
    }
    lines.join("\n")
}

fn line(row: &Row, style: Style) -> String {
    let kind = row
        .kind
        .as_ref()
        .map_or("unknown document".to_owned(), ToString::to_string);
    let (mark, text) = match &row.outcome {
        Ok(verified) => (
            style.paint(Paint::Good, "✓"),
            format!("signed by {}", verified.by),
        ),
        Err(why) => (style.paint(Paint::Bad, "✗"), why.to_string()),
    };
    format!("  {mark} {kind:<20} {text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::attestation::SignedBy;
    use model::signing_key::KeyId;
    use model::verification::{Refusal, Report, Verified};
    use server::judge::LogEntry;

    #[test]
    fn a_person_reads_what_holds_and_what_does_not() {
        let verified = Verified {
            kind: PredicateType::Signature,
            by: SignedBy::Key(KeyId::of(b"key")),
            proven_at: None,
        };
        let rows = vec![
            Row {
                kind: Some(PredicateType::Signature),
                outcome: Ok(verified),
            },
            Row {
                kind: Some(PredicateType::Spdx),
                outcome: Err(Refusal::BadSignature),
            },
        ];
        let judgement = Judgement {
            image: Digest::of(b"image"),
            report: Report { rows },
            entry: Some(LogEntry {
                index: 4,
                size: 9,
                at: Timestamp::UNIX_EPOCH,
            }),
            predicates: Vec::new(),
            decision: None,
            shortcomings: vec!["SPDX: the signature does not fit".to_owned()],
        };
        let told = table("shop", &judgement, Style::Plain);
        insta::assert_snapshot!(told, @r"
        shop sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d
          ✓ signature            signed by key 2c70e12b7a06
          ✗ SPDX                 the signature does not fit: the document or the signature was changed
          ✓ transparency log     entry 5 of 9, 1970-01-01 00:00:00 UTC
        not verified
          SPDX: the signature does not fit
        ");
    }
}

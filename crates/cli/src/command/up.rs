//! `mayfly up`: a folder becomes a running app.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Instant;

use api::Client;
use api::types::{Claim, Inputs, UpRequest};
use model::AppName;
use model::env::{SecretEnv, parse_env_file};
use model::failure::{Failure, FailureCode};
use model::limits::parse_span;
use model::progress::Progress;
use tokio::sync::Notify;

use super::watch::{settle, watch};
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Detail, Face, Reader, Seconds};
use crate::folder::{self, FolderError, Reading, Root, Sent, UploadError};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// The app's name; by default `name` in mayfly.toml, else the folder's name
    #[arg(long, value_name = "NAME")]
    app: Option<AppName>,
    /// Take the name over from another folder that has it
    #[arg(long)]
    takeover: bool,
    /// Take the newest versions of packages that no lock file pins
    #[arg(long)]
    upgrade: bool,
    /// Give the app the secret values in a .env file, once for each; they stay until the next time
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// How long the app lives from now on: `30d`, `12h` [default: `ttl` in mayfly.toml, else what it
    /// had, else without an end]
    #[arg(long, value_name = "TIME", value_parser = ttl)]
    ttl: Option<u64>,
    /// Return at once with the run's id; `mayfly status` shows how it went
    #[arg(long)]
    detach: bool,
    /// Show all that the build prints
    #[arg(short, long)]
    verbose: bool,
    /// Print one JSON object a line, the result last
    #[arg(long)]
    pub(crate) json: bool,
}

/// Brings the app up. Prints its URL, alone, on standard output.
pub(crate) fn run(args: Args) -> Result<Exit, Failure> {
    daemon::runtime()?.block_on(up(args))
}

async fn up(args: Args) -> Result<Exit, Failure> {
    let reader = Reader::of_flag(args.json);
    let detail = if args.verbose {
        Detail::Full
    } else {
        Detail::Brief
    };
    let mut face = Face::new(reader, detail);
    let env = read_env(&args.env_file)?;
    let root = Root::open(&args.dir)?;
    let began = Instant::now();
    let running = daemon::running().await?;
    let limits = running.as_ref().map(|daemon| daemon.health.source);
    let reading = Reading::within(limits.unwrap_or_default());
    let mut taken = folder::take(&root, &reading)?;
    let mut client = match running {
        Some(daemon) => daemon.client,
        None => daemon::start_and_connect(&mut face).await?,
    };
    for text in std::mem::take(&mut taken.notices) {
        face.show(&Progress::Notice { text });
    }
    let sent = deliver(&mut client, &root, &reading, &mut taken).await?;
    let files = taken.snapshot.entries.len();
    let seconds = Seconds(began.elapsed().as_secs_f64());
    face.remark(&format!(
        "read {files} files, sent {} ({seconds})",
        sent.files
    ));
    let request = UpRequest {
        app: args.app,
        folder: root.path().to_owned(),
        snapshot: sent.snapshot,
        env_keys: taken.snapshot.env_keys,
        env,
        commit: folder::commit(root.path()),
        ttl_seconds: args.ttl,
        creator: creator(),
        claim: if args.takeover {
            Claim::TakeOver
        } else {
            Claim::Respect
        },
        inputs: if args.upgrade {
            Inputs::Upgraded
        } else {
            Inputs::Pinned
        },
    };
    let face = RefCell::new(face);
    match args.detach {
        true => detach(&mut client, &request, &face, reader).await,
        false => {
            let run = client.up(&request, |progress| face.borrow_mut().show(progress));
            let end = watch(&face, run).await;
            settle(&face, end)
        }
    }
}

fn ttl(text: &str) -> Result<u64, String> {
    parse_span(text).ok_or_else(|| "write a length of time as `12h` or `30d`".to_owned())
}

/// What the one who calls is called here: the sudoer, not root.
fn creator() -> Option<String> {
    let sudoer = std::env::var("SUDO_USER").ok();
    let user = || {
        Some(
            nix::unistd::User::from_uid(nix::unistd::getuid())
                .ok()??
                .name,
        )
    };
    sudoer.filter(|name| !name.is_empty()).or_else(user)
}

/// Sends what is missing. A file that changed since the folder was read makes that reading worth
/// nothing: it is done once more.
async fn deliver(
    client: &mut Client,
    root: &Root,
    reading: &Reading,
    taken: &mut folder::Taken,
) -> Result<Sent, Failure> {
    match folder::send(client, root, &taken.snapshot).await {
        Err(UploadError::Folder(FolderError::Changes { .. })) => {
            *taken = folder::take(root, reading)?;
            Ok(folder::send(client, root, &taken.snapshot).await?)
        }
        other => Ok(other?),
    }
}

/// Starts the run and leaves it to the daemon once it has a name. One that ends before is shown.
async fn detach(
    client: &mut Client,
    request: &UpRequest,
    face: &RefCell<Face>,
    reader: Reader,
) -> Result<Exit, Failure> {
    let named = Notify::new();
    let first = RefCell::new(None);
    let run = client.up(request, |progress| match progress {
        Progress::Run { .. } => {
            *first.borrow_mut() = Some(progress.clone());
            named.notify_one();
        }
        other => face.borrow_mut().show(other),
    });
    tokio::select! {
        () = named.notified() => {}
        end = run => return settle(face, end),
    }
    match (reader, first.into_inner()) {
        (Reader::Program, Some(progress)) => face::json(&progress),
        (Reader::Person, Some(Progress::Run { run, app })) => {
            face::note(&format!("`mayfly status {app}` shows how it goes on"));
            face::line(&run.to_string());
        }
        _ => {}
    }
    Ok(Exit::Ok)
}

/// Reads the `.env` files that the user names, later ones over earlier ones. `None` when there are
/// none: the values that the app has stay.
fn read_env(files: &[PathBuf]) -> Result<Option<SecretEnv>, Failure> {
    let mut all = SecretEnv::default();
    for file in files {
        let name = file.display();
        let text = std::fs::read_to_string(file).map_err(|cause| {
            Failure::new(FailureCode::Usage, format!("`{name}` cannot be read"))
                .because(cause.to_string())
                .hint("name a file of NAME=value lines: `--env-file .env`")
        })?;
        let env = parse_env_file(&text).map_err(|cause| {
            Failure::new(FailureCode::Usage, format!("`{name}` cannot be read"))
                .because(cause.to_string())
                .hint("write each value as NAME=value, on a line of its own")
        })?;
        all.0.extend(env.0);
    }
    Ok((!files.is_empty()).then_some(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_env_files_win_and_a_bad_one_is_named_without_its_text() {
        let place = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: &str| {
            let path = place.path().join(name);
            std::fs::write(&path, text).expect("a file");
            path
        };
        assert!(matches!(read_env(&[]), Ok(None)));
        let (one, two) = (file("one", "A=1\nB=1"), file("two", "B=2"));
        let env = read_env(&[one.clone(), two])
            .expect("good files")
            .expect("values");
        assert_eq!(
            env.0.into_iter().collect::<Vec<_>>(),
            [
                ("A".to_owned(), "1".to_owned()),
                ("B".to_owned(), "2".to_owned()),
            ]
        );
        let failure = read_env(&[one, file("bad", "A=1\nhunter2")]).expect_err("a bad file");
        assert_eq!(failure.cause, ["line 2 is not NAME=value"]);
        assert_eq!(Exit::of_failure(&failure), Exit::Usage);
        assert!(read_env(&[place.path().join("none")]).is_err());
    }
}

//! `mayfly push`: a copy of an app's image, with all that vouches for it, in another registry.

use api::supply::PushRequest;
use model::failure::{Failure, FailureCode};
use model::{AppName, ReleaseNumber};
use server::judge;

use super::rollback::release;
use super::verify::credentials;
use crate::daemon;
use crate::exit::Exit;
use crate::face::{self, Bytes, Reader};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The app
    app: AppName,
    /// Where to: HOST/NAME or HOST:PORT/NAME, with :TAG when it is to have another than r<N>
    to: String,
    /// The release; by default the one that serves
    #[arg(long, value_name = "N", value_parser = release)]
    release: Option<ReleaseNumber>,
    /// Print the result as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Copies, as the user that `docker login` knows.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (registry, repository, tag) = parse(&args.to)?;
    let login = judge::login(&args.to, credentials().as_deref())?;
    let request = PushRequest {
        release: args.release,
        registry,
        repository,
        tags: tag.into_iter().collect(),
        login: login.map(|login| (login.user, login.secret)),
    };
    let pushed = daemon::runtime()?.block_on(async {
        let mut client = daemon::connect().await?;
        face::note(&format!("sending {} to {}", args.app, args.to));
        Ok::<_, Failure>(client.push(&args.app, &request).await?)
    })?;
    match Reader::of_flag(args.json) {
        Reader::Program => face::json(&pushed),
        Reader::Person => {
            face::note(&format!(
                "{} sent in {} new blobs; {} manifests, which are the image and all that vouches for it",
                Bytes(pushed.sent_bytes),
                pushed.blobs,
                pushed.manifests
            ));
            face::line(&pushed.reference);
        }
    }
    Ok(Exit::Ok)
}

/// Registry, repository and tag of `HOST[:PORT]/NAME[:TAG]`. The host is always said: there is no
/// registry by default.
fn parse(to: &str) -> Result<(String, String, Option<String>), Failure> {
    let bad = || {
        Failure::new(FailureCode::Usage, format!("`{to}` names no repository"))
            .hint("write HOST/NAME, such as `registry.example/team/shop`")
    };
    let (registry, rest) = to.split_once('/').ok_or_else(bad)?;
    let is_host = registry.contains(['.', ':']) || registry == "localhost";
    let (repository, tag) = match rest.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag.to_owned())),
        None => (rest, None),
    };
    let clean = |text: &str| {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-/".contains(&b);
        !text.is_empty() && text.bytes().all(fits)
    };
    match is_host && clean(repository) {
        true => Ok((registry.to_owned(), repository.to_owned(), tag)),
        false => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_a_host_a_name_and_perhaps_a_tag() {
        for (to, expected) in [
            ("r.example/a", Some(("r.example", "a", None))),
            ("localhost:5000/a/b", Some(("localhost:5000", "a/b", None))),
            ("r.example/a:v1", Some(("r.example", "a", Some("v1")))),
            ("team/a", None),
            ("a", None),
            ("r.example/", None),
            ("r.example/A b", None),
            ("r.example/a@sha256:00", None),
        ] {
            let parsed = parse(to).ok();
            let parsed = parsed
                .as_ref()
                .map(|(host, name, tag)| (host.as_str(), name.as_str(), tag.as_deref()));
            assert_eq!(parsed, expected, "{to}");
        }
    }
}

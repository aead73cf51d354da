//! Signatures of an identity: mayfly signs with a real Fulcio, Rekor and timestamp authority, and
//! others verify; cosign signs, and mayfly verifies.

mod daemon;
mod peers;
mod services;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use self::daemon::Daemon;
use self::peers::{Peer, Peers};
use self::services::{ANN, GOOD, Services, Token};
use super::door::Door;
use super::laid_out::{self, Forgery, LaidOut, forgery, within_payload};
use super::sample::{self, manifest};
use super::{found, ours};
use crate::command;
use crate::judges::COSIGN_3;
use crate::registry::{Profile, Registry};
use crate::step::step;

/// Runs every check.
pub fn run() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let registry = step("the registry", || {
        Registry::start(scratch.path(), Profile::Debug)
    })?;
    let door = Door::with_token(registry.address, &registry.writer);
    let mut ground = Ground::new(door)?;
    step("mayfly signs", || ground.sign())?;
    step("cosign 3 verifies, and refuses who did not sign", || {
        ground.cosign_verifies()
    })?;
    step("mayfly verifies, and refuses who did not sign", || {
        ground.mayfly_verifies()
    })?;
    step("npm's verifier and PyPI's do so too", || {
        ground.peers_verify()
    })?;
    step("another image's signatures are refused", || {
        ground.wrong_subject()
    })?;
    step("every forgery is refused", || ground.forgeries())?;
    step("what cosign 3 signed verifies here", || ground.theirs())?;
    let daemon = step("a daemon releases what it signed as an identity", || {
        Daemon::releases(&ground.cosign, &ground.services, ground.folder.path())
    })?;
    step("bad tokens and clocks sign nothing", || ground.bad_tokens())?;
    step("dead services sign nothing", || ground.dead_services())?;
    step("a daemon without them releases nothing", || {
        daemon.releases_nothing()
    })
}

/// A registry, the services, and a folder with what they say to trust.
struct Ground {
    cosign: PathBuf,
    signer: PathBuf,
    peers: Peers,
    services: Services,
    door: Door,
    folder: TempDir,
}

/// How far a clock is ahead.
const RIGHT: i64 = 0;
const AN_HOUR: i64 = 3600;
const REPOSITORY: &str = "keyless/app";
const BOB: &str = "bob@example.org";
const ELSEWHERE: &str = "http://127.0.0.1:1";

impl Ground {
    fn new(door: Door) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let ground = Self {
            cosign: step("cosign 3", || COSIGN_3.built())?,
            signer: step("the signer", ours::signer)?,
            peers: step("others' verifiers", Peers::install)?,
            services: step("the services", || Services::start(folder.path()))?,
            door,
            folder,
        };
        ground.door.log_in(ground.folder.path())?;
        fs::write(ground.path("manifest.json"), manifest("app"))?;
        Ok(ground)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sign(&self) -> Result<()> {
        sample::put(&self.door, REPOSITORY, &manifest("app"))?;
        command::run(&mut self.signing(GOOD, RIGHT)?)?;
        let signed = self.signed()?;
        ensure!(laid_out::bundles(&signed).len() == 4, "four statements");
        laid_out::push(&self.door, REPOSITORY, &signed)
    }

    fn signed(&self) -> Result<Vec<LaidOut>> {
        laid_out::read(self.folder.path())
    }

    /// mayfly signs the image with a token, when its clock is that far ahead.
    fn signing(&self, token: Token, ahead_seconds: i64) -> Result<Command> {
        fs::write(self.path("token"), self.services.token(token)?)?;
        let mut sign = Command::new(&self.signer);
        sign.arg("sign-keyless").arg(self.folder.path());
        sign.args([&self.door.name(REPOSITORY), ANN]);
        sign.args([&self.services.issuer_url(), &ahead_seconds.to_string()]);
        Ok(sign)
    }

    fn cosign_verifies(&self) -> Result<()> {
        let issuer = &self.services.issuer_url();
        let name = &self.named(REPOSITORY, "app");
        for what in WHATS {
            command::capture(&mut self.cosign_verify(what, name, [ANN, issuer]))?;
            for wrong in [[BOB, issuer], [ANN, ELSEWHERE]] {
                ours::refused(&mut self.cosign_verify(what, name, wrong))?;
            }
        }
        Ok(())
    }

    fn named(&self, repository: &str, image: &str) -> String {
        let digest = laid_out::digest(&manifest(image));
        format!("{}@{digest}", self.door.name(repository))
    }

    fn cosign_verify(&self, what: &[&str], name: &str, [subject, issuer]: [&str; 2]) -> Command {
        let mut verify = self.cosign(what);
        verify.args(["--trusted-root", "trusted_root.json"]);
        verify.args(["--use-signed-timestamps", "--certificate-identity", subject]);
        verify.args(["--certificate-oidc-issuer", issuer, name]);
        verify
    }

    /// cosign asks for nothing, and finds no configuration of the caller's.
    fn cosign(&self, words: &[&str]) -> Command {
        let mut cosign = Command::new(&self.cosign);
        cosign.current_dir(self.folder.path());
        cosign.env("HOME", self.folder.path()).args(words);
        cosign
    }

    fn mayfly_verifies(&self) -> Result<()> {
        let issuer = &self.services.issuer_url();
        // The time of a signature is proven: what this machine's clock says does not matter.
        for ahead in [RIGHT, AN_HOUR, -AN_HOUR] {
            command::capture(&mut self.mayfly_verify(REPOSITORY, "app", [ANN, issuer], ahead)?)?;
        }
        for wrong in [[BOB, issuer], [ANN, ELSEWHERE]] {
            ours::refused(&mut self.mayfly_verify(REPOSITORY, "app", wrong, RIGHT)?)?;
        }
        Ok(())
    }

    fn mayfly_verify(
        &self,
        repository: &str,
        image: &str,
        [subject, issuer]: [&str; 2],
        ahead_seconds: i64,
    ) -> Result<Command> {
        let manifest = manifest(image);
        let digest = laid_out::digest(&manifest);
        let found = found::documents(&self.door, repository, &digest, "referrer")?;
        fs::write(self.path("found.json"), serde_json::to_vec(&found)?)?;
        fs::write(self.path("manifest.json"), manifest)?;
        let mut verify = Command::new(&self.signer);
        verify.arg("verify-keyless").arg(self.folder.path());
        verify.args([subject, issuer, "signature", &ahead_seconds.to_string()]);
        Ok(verify)
    }

    fn peers_verify(&self) -> Result<()> {
        let issuer = &self.services.issuer_url();
        for bundle in laid_out::bundles(&self.signed()?) {
            fs::write(self.path("bundle.json"), bundle)?;
            for peer in [Peer::Node, Peer::Python] {
                command::capture(&mut self.peer_verify(peer, [ANN, issuer]))?;
                for wrong in [[BOB, issuer], [ANN, ELSEWHERE]] {
                    ours::refused(&mut self.peer_verify(peer, wrong))?;
                }
            }
        }
        Ok(())
    }

    fn peer_verify(&self, peer: Peer, identity: [&str; 2]) -> Command {
        let bundle = self.path("bundle.json");
        self.peers
            .verify(peer, self.folder.path(), &bundle, identity)
    }

    fn wrong_subject(&self) -> Result<()> {
        let (repository, issuer) = ("keyless/moved", &self.services.issuer_url());
        let [image, other] = ["app", "other"].map(|name| laid_out::digest(&manifest(name)));
        sample::put(&self.door, repository, &manifest("other"))?;
        let moved = laid_out::about(&self.signed()?, &image, &other)?;
        laid_out::push(&self.door, repository, &moved)?;
        self.all_refuse(repository, "other", issuer)
    }

    /// Each forgery alone, in an empty repository.
    fn forgeries(&self) -> Result<()> {
        let issuer = &self.services.issuer_url();
        for (number, forgery) in FORGERIES.iter().enumerate() {
            let repository = format!("keyless/forged-{number}");
            let forged = laid_out::forged(&self.signed()?, *forgery)?;
            sample::put(&self.door, &repository, &manifest("app"))?;
            laid_out::push(&self.door, &repository, &forged)?;
            let refused = self.all_refuse(&repository, "app", issuer);
            refused.with_context(|| format!("forged: {}", forgery.name))?;
        }
        Ok(())
    }

    fn all_refuse(&self, repository: &str, image: &str, issuer: &str) -> Result<()> {
        let name = self.named(repository, image);
        for what in WHATS {
            ours::refused(&mut self.cosign_verify(what, &name, [ANN, issuer]))?;
        }
        let identity = [ANN, issuer];
        let said = ours::refused(&mut self.mayfly_verify(repository, image, identity, RIGHT)?)?;
        ensure!(said.contains("refused: "), "mayfly fails otherwise: {said}");
        Ok(())
    }

    /// cosign signs and attests as Ann; mayfly takes the documents from where cosign put them.
    fn theirs(&self) -> Result<()> {
        let (repository, issuer) = ("keyless/theirs", &self.services.issuer_url());
        sample::put(&self.door, repository, &manifest("app"))?;
        fs::write(self.path("predicate.json"), r#"{"a":1}"#)?;
        let attest = [
            "--predicate",
            "predicate.json",
            "--type",
            "https://a.example/p",
        ];
        for words in [&["sign"][..], &[&["attest"][..], &attest].concat()] {
            fs::write(self.path("token"), self.services.token(GOOD)?)?;
            let mut sign = self.cosign(words);
            sign.args(["--yes", "--identity-token", "token"]);
            sign.args(["--signing-config", "signing_config.json"]);
            sign.args(["--trusted-root", "trusted_root.json"]);
            command::capture(sign.arg(self.named(repository, "app")))?;
        }
        command::capture(&mut self.mayfly_verify(repository, "app", [ANN, issuer], RIGHT)?)?;
        for wrong in [[BOB, issuer], [ANN, ELSEWHERE]] {
            ours::refused(&mut self.mayfly_verify(repository, "app", wrong, RIGHT)?)?;
        }
        Ok(())
    }

    fn bad_tokens(&self) -> Result<()> {
        let of_another = Token {
            signer: "nobody",
            ..GOOD
        };
        let for_another = Token {
            audience: "another",
            ..GOOD
        };
        let expired = Token {
            issued: -700,
            ..GOOD
        };
        let expired_long_ago = Token {
            issued: -AN_HOUR - 300,
            ..GOOD
        };
        for (token, ahead, expected) in [
            (of_another, RIGHT, "Identity"),
            (for_another, RIGHT, "Identity"),
            (expired, RIGHT, "Identity"),
            // To a clock that is behind it is good: the authority says that it is not.
            (expired_long_ago, -AN_HOUR, "Identity"),
            (GOOD, AN_HOUR, "Identity"),
            (GOOD, -AN_HOUR, "Identity"),
        ] {
            self.signs_nothing(&mut self.signing(token, ahead)?, expected)
                .with_context(|| format!("{token:?}, {ahead} s ahead"))?;
        }
        command::capture(&mut self.signing(GOOD, RIGHT)?).map(drop)
    }

    /// A signing that has to fail with an error of that name, and must leave nothing.
    fn signs_nothing(&self, sign: &mut Command, expected: &str) -> Result<()> {
        let artifacts = self.path("artifacts.json");
        match fs::remove_file(&artifacts) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => bail!(error),
            _ => {}
        }
        let said = ours::refused(sign)?;
        ensure!(said.contains(expected), "no `{expected}`: {said}");
        ensure!(!artifacts.exists(), "something was signed");
        Ok(())
    }

    /// Ends one service after the other, the one first that is asked last.
    fn dead_services(&mut self) -> Result<()> {
        let unavailable = |service: &str| format!("Unavailable {{ service: \"{service}\"");
        for service in ["public log", "timestamp authority", "certificate authority"] {
            let running = match service {
                "public log" => &mut self.services.log,
                "timestamp authority" => &mut self.services.clock,
                _ => &mut self.services.authority,
            };
            drop(running.take().context("it runs")?);
            let mut sign = self.signing(GOOD, RIGHT)?;
            self.signs_nothing(&mut sign, &unavailable(service))?;
        }
        Ok(())
    }
}

/// What cosign verifies.
const WHATS: [&[&str]; 4] = [
    &["verify"],
    &["verify-attestation", "--type", "spdxjson"],
    &["verify-attestation", "--type", "cyclonedx"],
    &["verify-attestation", "--type", "slsaprovenance1"],
];

/// Each class of bytes of a bundle. The proof's own root hash is not among them: cosign takes the
/// checkpoint's, which is signed.
const FORGERIES: [Forgery; 11] = [
    forgery("the payload", "\"payload\":\"", 60),
    within_payload("the subject", "\"sha256\":\"", 5),
    forgery("the signature", "\"sig\":\"", 30),
    forgery("the payload's type", "vnd.in-toto+jso", 0),
    forgery(
        "the bundle's media type",
        "{\"mediaType\":\"application/vnd.dev.sigstore.bundle",
        0,
    ),
    forgery("the certificate", "\"certificate\":{\"rawBytes\":\"", 200),
    forgery(
        "the certificate's key",
        "\"certificate\":{\"rawBytes\":\"",
        300,
    ),
    forgery("the timestamp", "\"signedTimestamp\":\"", 200),
    forgery("the log's entry", "\"canonicalizedBody\":\"", 100),
    forgery("the log's name", "\"logId\":{\"keyId\":\"", 5),
    forgery("the log's checkpoint", "\"envelope\":\"rekor.local\\n", 0),
];

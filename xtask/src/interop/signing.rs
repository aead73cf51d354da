//! cosign verifies what mayfly signed, by key, and refuses what it should; mayfly verifies what
//! cosign signed. In mayfly's own registry, and in Debian's, which lists no referrers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::door::Door;
use super::laid_out::{self, Forgery, LaidOut, forgery, within_payload};
use super::sample::{self, manifest};
use super::{debian_registry, found, ours};
use crate::command;
use crate::judges::{COSIGN_2, COSIGN_3};
use crate::registry::{Profile, Registry};
use crate::step::step;

/// Runs every check.
pub fn run() -> Result<()> {
    let programs = Programs {
        cosign_3: step("cosign 3", || COSIGN_3.built())?,
        cosign_2: step("cosign 2", || COSIGN_2.built())?,
        signer: step("the signer", ours::signer)?,
    };
    let scratch = tempfile::tempdir()?;
    let registry = step("the registry", || {
        Registry::start(&scratch.path().join("ours"), Profile::Debug)
    })?;
    let door = Door::with_token(registry.address, &registry.writer);
    step("in mayfly's registry", || judge(&programs, door))?;
    let (door, _process) = debian_registry::start(&scratch.path().join("debian"))?;
    step("in Debian's registry", || judge(&programs, door))
}

fn judge(programs: &Programs, door: Door) -> Result<()> {
    let ground = Ground::new(programs, door)?;
    step("all three layouts are verified", || ground.accepted())?;
    step("a wrong key is refused", || ground.wrong_key())?;
    step("another image's signatures are refused", || {
        ground.wrong_subject()
    })?;
    step("every forgery in one layout alone is refused", || {
        ground.forgeries()
    })?;
    step("what cosign 3 signed verifies here", || ground.theirs())
}

struct Programs {
    cosign_3: PathBuf,
    cosign_2: PathBuf,
    signer: PathBuf,
}

/// A registry, and an image that was signed.
struct Ground<'a> {
    programs: &'a Programs,
    door: Door,
    folder: TempDir,
}

impl<'a> Ground<'a> {
    fn new(programs: &'a Programs, door: Door) -> Result<Self> {
        let ground = Self {
            programs,
            door,
            folder: tempfile::tempdir()?,
        };
        ground.door.log_in(ground.folder.path())?;
        sample::put(&ground.door, "check/all", &manifest("app"))?;
        fs::write(ground.path("manifest.json"), manifest("app"))?;
        ground.sign()?;
        ground.make_key()?;
        laid_out::push(&ground.door, "check/all", &ground.signed()?)?;
        Ok(ground)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn signed(&self) -> Result<Vec<LaidOut>> {
        laid_out::read(self.folder.path())
    }

    fn sign(&self) -> Result<()> {
        let mut sign = Command::new(&self.programs.signer);
        let name = self.door.name("check/all");
        command::run(sign.arg("sign").arg(self.folder.path()).arg(name))
    }

    /// Each command that `mayfly key export` tells, word for word.
    fn commands(&self) -> Result<Vec<(PathBuf, Vec<String>)>> {
        let told: Vec<(String, String)> =
            serde_json::from_slice(&fs::read(self.path("commands.json"))?)?;
        let program = |heading: &str| match heading.starts_with("cosign 3") {
            true => self.programs.cosign_3.clone(),
            false => self.programs.cosign_2.clone(),
        };
        let words = |line: &str| line.split(' ').skip(1).map(str::to_owned).collect();
        let told = told
            .iter()
            .map(|(heading, line)| (program(heading), words(line)));
        let told: Vec<_> = told.collect();
        ensure!(told.len() == 8, "four commands for each of two versions");
        Ok(told)
    }

    fn accepted(&self) -> Result<()> {
        for (program, words) in self.commands()? {
            command::capture(self.in_folder(&program).args(&words))?;
        }
        // One layout alone, in an empty repository: neither stands on the other.
        for (layout, checks) in self.layouts() {
            let repository = format!("alone/{layout}").replace('_', "-");
            let signed = laid_out::only(&self.signed()?, layout);
            sample::put(&self.door, &repository, &manifest("app"))?;
            laid_out::push(&self.door, &repository, &signed)?;
            for check in checks {
                command::capture(&mut self.check(check, &repository, "mayfly.pub"))?;
            }
            command::capture(&mut self.ours(&repository, layout, "mayfly.pub")?)?;
        }
        Ok(())
    }

    fn wrong_key(&self) -> Result<()> {
        for (program, words) in self.commands()? {
            let with_theirs = |word: String| word.replace("mayfly.pub", "cosign.pub");
            let words = words.into_iter().map(with_theirs);
            ours::refused(self.in_folder(&program).args(words))?;
        }
        Ok(())
    }

    fn wrong_subject(&self) -> Result<()> {
        let (ours, other) = (manifest("app"), manifest("other"));
        let (image, other_image) = (laid_out::digest(&ours), laid_out::digest(&other));
        for (layout, checks) in self.layouts() {
            let repository = format!("moved/{layout}").replace('_', "-");
            sample::put(&self.door, &repository, &other)?;
            let signed = laid_out::only(&self.signed()?, layout);
            let moved = laid_out::about(&signed, &image, &other_image)?;
            laid_out::push(&self.door, &repository, &moved)?;
            for check in checks {
                let name = self.door.name(&repository);
                let command = self.words(check, "mayfly.pub", &format!("{name}@{other_image}"));
                ours::refused(&mut { command })?;
            }
            fs::write(self.path("manifest.json"), &other)?;
            ours::refused(&mut self.found(&repository, &other_image, layout, "mayfly.pub")?)?;
            fs::write(self.path("manifest.json"), &ours)?;
        }
        Ok(())
    }

    fn forgeries(&self) -> Result<()> {
        for (layout, checks) in self.layouts() {
            let ours = FORGERIES.iter().filter(|(of, ..)| *of == layout);
            for (number, (_, forgery, noticed)) in ours.enumerate() {
                let repository = format!("forged/{layout}-{number}").replace('_', "-");
                let signed = laid_out::only(&self.signed()?, layout);
                let forged = laid_out::forged(&signed, *forgery)?;
                sample::put(&self.door, &repository, &manifest("app"))?;
                laid_out::push(&self.door, &repository, &forged)?;
                let named = || format!("{layout}: {}", forgery.name);
                for check in checks.iter().filter(|_| *noticed == Noticed::ByAll) {
                    ours::refused(&mut self.check(*check, &repository, "mayfly.pub"))
                        .with_context(named)?;
                }
                ours::refused(&mut self.ours(&repository, layout, "mayfly.pub")?)
                    .with_context(named)?;
            }
        }
        Ok(())
    }

    /// cosign signs and attests with a key of its own; mayfly takes the documents from where
    /// cosign put them.
    fn theirs(&self) -> Result<()> {
        let (repository, image) = ("check/theirs", manifest("app"));
        sample::put(&self.door, repository, &image)?;
        let name = format!(
            "{}@{}",
            self.door.name(repository),
            laid_out::digest(&image)
        );
        fs::write(self.path("predicate.json"), r#"{"a":1}"#)?;
        let mut sign = self.in_folder(&self.programs.cosign_3);
        sign.args(["sign", "--yes"]).args(UNLOGGED);
        command::capture(sign.args(["--key", "cosign.key", &name]))?;
        let mut attest = self.in_folder(&self.programs.cosign_3);
        attest.args(["attest", "--yes"]).args(UNLOGGED);
        attest.args([
            "--predicate",
            "predicate.json",
            "--type",
            "https://example.org/p",
        ]);
        command::capture(attest.args(["--key", "cosign.key", &name]))?;
        let image = laid_out::digest(&image);
        let found = found::documents(&self.door, repository, &image, "referrer")?;
        ensure!(found.len() == 2, "cosign left {} documents", found.len());
        command::capture(&mut self.found(repository, &image, "referrer", "cosign.pub")?)?;
        ours::refused(&mut self.found(repository, &image, "referrer", "mayfly.pub")?).map(drop)
    }

    /// mayfly's own verification of what is in a layout.
    fn ours(&self, repository: &str, layout: &str, key: &str) -> Result<Command> {
        let image = laid_out::digest(&manifest("app"));
        self.found(repository, &image, layout, key)
    }

    fn found(&self, repository: &str, image: &str, layout: &str, key: &str) -> Result<Command> {
        let found = found::documents(&self.door, repository, image, layout)?;
        fs::write(self.path("found.json"), serde_json::to_vec(&found)?)?;
        let kind = match layout {
            "attestation_tag" => "spdx",
            _ => "signature",
        };
        let mut verify = Command::new(&self.programs.signer);
        verify
            .arg("verify")
            .arg(self.folder.path())
            .arg(self.path(key))
            .arg(kind);
        Ok(verify)
    }

    fn make_key(&self) -> Result<()> {
        let mut make = self.in_folder(&self.programs.cosign_3);
        command::run(make.args(["generate-key-pair"]))
    }

    /// Each layout, and the checks that read it.
    fn layouts(&self) -> [(&'static str, Vec<Check>); 3] {
        let check = |program, what| Check { program, what };
        let (signature, attestation) = (What::Signature, What::Attestation);
        [
            (
                "signature_tag",
                vec![
                    check(Version::Three, signature),
                    check(Version::Two, signature),
                ],
            ),
            (
                "attestation_tag",
                vec![
                    check(Version::Three, attestation),
                    check(Version::Two, attestation),
                ],
            ),
            (
                "referrer",
                vec![
                    check(Version::Three, signature),
                    check(Version::Three, attestation),
                    check(Version::Two, signature),
                ],
            ),
        ]
    }

    fn check(&self, check: Check, repository: &str, key: &str) -> Command {
        let image = laid_out::digest(&manifest("app"));
        let name = format!("{}@{image}", self.door.name(repository));
        self.words(check, key, &name)
    }

    fn words(&self, check: Check, key: &str, name: &str) -> Command {
        let program = match check.program {
            Version::Three => &self.programs.cosign_3,
            Version::Two => &self.programs.cosign_2,
        };
        let mut command = self.in_folder(program);
        command.args(match check.what {
            What::Signature => &["verify"][..],
            What::Attestation => &["verify-attestation", "--type", "spdxjson"],
        });
        if let Version::Two = check.program {
            command.args(["--trusted-root", "trusted_root.json"]);
        }
        command.args(["--insecure-ignore-tlog=true", "--key", key, name]);
        command
    }

    /// cosign asks for nothing, and finds no configuration of the caller's.
    fn in_folder(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        command
            .env("COSIGN_PASSWORD", "")
            .env("HOME", self.folder.path());
        command
    }
}

#[derive(Debug, Clone, Copy)]
struct Check {
    program: Version,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum Version {
    Three,
    Two,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Signature,
    Attestation,
}

const UNLOGGED: [&str; 2] = ["--use-signing-config=false", "--tlog-upload=false"];

/// Who has to notice a forgery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noticed {
    ByAll,
    /// cosign does not look at it.
    ByMayfly,
}

/// Each class of bytes that a signature or its wrapping has, layout by layout.
const FORGERIES: [(&str, Forgery, Noticed); 14] = [
    (
        "signature_tag",
        forgery("the payload", "docker-reference\":\"", 0),
        Noticed::ByAll,
    ),
    (
        "signature_tag",
        forgery("the subject", "docker-manifest-digest\":\"sha256:", 5),
        Noticed::ByAll,
    ),
    (
        "signature_tag",
        forgery("the signature", "cosign/signature\":\"", 30),
        Noticed::ByAll,
    ),
    (
        "signature_tag",
        forgery("the layer's media type", "application/vnd.dev.cosign.", 0),
        Noticed::ByMayfly,
    ),
    (
        "attestation_tag",
        forgery("the payload", "\"payload\":\"", 60),
        Noticed::ByAll,
    ),
    (
        "attestation_tag",
        within_payload("the subject", "\"sha256\":\"", 5),
        Noticed::ByAll,
    ),
    (
        "attestation_tag",
        forgery("the signature", "\"sig\":\"", 30),
        Noticed::ByAll,
    ),
    (
        "attestation_tag",
        forgery("the payload's type", "vnd.in-toto+jso", 0),
        Noticed::ByAll,
    ),
    (
        "attestation_tag",
        forgery("the layer's media type", "application/vnd.dsse.", 0),
        Noticed::ByMayfly,
    ),
    (
        "referrer",
        forgery("the payload", "\"payload\":\"", 60),
        Noticed::ByAll,
    ),
    (
        "referrer",
        within_payload("the subject", "\"sha256\":\"", 5),
        Noticed::ByAll,
    ),
    (
        "referrer",
        forgery("the signature", "\"sig\":\"", 30),
        Noticed::ByAll,
    ),
    (
        "referrer",
        forgery("the payload's type", "vnd.in-toto+jso", 0),
        Noticed::ByAll,
    ),
    (
        "referrer",
        forgery(
            "the bundle's media type",
            "{\"mediaType\":\"application/vnd.dev.sigstore.bundle",
            0,
        ),
        Noticed::ByAll,
    ),
];

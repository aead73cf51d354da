//! cosign verifies what mayfly signed, by key, and refuses what it should; mayfly verifies what
//! cosign signed.

mod judge;
mod laid_out;
mod peer;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::judge::{COSIGN_2, COSIGN_3};
use self::laid_out::{Forgery, LaidOut};
use self::peer::Registry;
use crate::command::{self, command};
use crate::place;
use crate::step::step;

/// Runs every check.
pub fn run() -> Result<()> {
    let cosigns = Cosigns {
        v3: step("cosign 3", || COSIGN_3.built())?,
        v2: step("cosign 2", || COSIGN_2.built())?,
    };
    let signer = step("the signer", signer)?;
    let ground = Ground::new(cosigns, signer)?;
    step("cosign 3 and 2 verify all three layouts", || {
        ground.accepted()
    })?;
    step("a wrong key is refused", || ground.wrong_key())?;
    step("another image's signatures are refused", || {
        ground.wrong_subject()
    })?;
    step("every forgery in one layout alone is refused", || {
        ground.forgeries()
    })?;
    step("what cosign 3 signed verifies here", || ground.theirs())
}

struct Cosigns {
    v3: PathBuf,
    v2: PathBuf,
}

/// A registry, and an image that was signed.
struct Ground {
    cosigns: Cosigns,
    signer: PathBuf,
    registry: Registry,
    folder: TempDir,
}

/// The program that signs as the server does.
fn signer() -> Result<PathBuf> {
    let options = [
        "build",
        "--quiet",
        "--package",
        "xtask",
        "--features",
        "interop",
    ];
    let mut build = command("cargo", options);
    command::run(build.args(["--bin", "interop-sign"]))?;
    Ok(place::target().join("debug/interop-sign"))
}

impl Ground {
    fn new(cosigns: Cosigns, signer: PathBuf) -> Result<Self> {
        let ground = Self {
            cosigns,
            signer,
            registry: Registry::start()?,
            folder: tempfile::tempdir()?,
        };
        ground.put_image("check/all", &manifest("app"))?;
        fs::write(ground.path("manifest.json"), manifest("app"))?;
        ground.sign()?;
        laid_out::push(&ground.registry, "check/all", &ground.signed()?)?;
        Ok(ground)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn signed(&self) -> Result<Vec<LaidOut>> {
        laid_out::read(self.folder.path())
    }

    fn sign(&self) -> Result<()> {
        let mut sign = Command::new(&self.signer);
        let name = self.registry.name("check/all");
        command::run(sign.arg("sign").arg(self.folder.path()).arg(name))
    }

    fn put_image(&self, repository: &str, manifest: &str) -> Result<()> {
        for blob in BLOBS {
            let digest = laid_out::digest(blob);
            self.registry
                .put_blob(repository, &digest, blob.as_bytes())?;
        }
        let reference = laid_out::digest(manifest);
        let bytes = manifest.as_bytes();
        self.registry
            .put_manifest(repository, &reference, MANIFEST, bytes)
    }

    /// Each command that `mayfly key export` tells, word for word.
    fn commands(&self) -> Result<Vec<(PathBuf, Vec<String>)>> {
        let told: Vec<(String, String)> =
            serde_json::from_slice(&fs::read(self.path("commands.json"))?)?;
        let program = |heading: &str| match heading.starts_with("cosign 3") {
            true => self.cosigns.v3.clone(),
            false => self.cosigns.v2.clone(),
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
            self.put_image(&repository, &manifest("app"))?;
            laid_out::push(&self.registry, &repository, &signed)?;
            for check in checks {
                command::capture(&mut self.check(check, &repository, "mayfly.pub"))?;
            }
        }
        Ok(())
    }

    fn wrong_key(&self) -> Result<()> {
        self.make_key()?;
        for (program, words) in self.commands()? {
            let with_theirs = |word: String| word.replace("mayfly.pub", "cosign.pub");
            let words = words.into_iter().map(with_theirs);
            refused(self.in_folder(&program).args(words))?;
        }
        Ok(())
    }

    fn wrong_subject(&self) -> Result<()> {
        let (ours, other) = (manifest("app"), manifest("other"));
        let (image, other_image) = (laid_out::digest(&ours), laid_out::digest(&other));
        for (layout, checks) in self.layouts() {
            let repository = format!("moved/{layout}").replace('_', "-");
            self.put_image(&repository, &other)?;
            let signed = laid_out::only(&self.signed()?, layout);
            let moved = laid_out::about(&signed, &image, &other_image)?;
            laid_out::push(&self.registry, &repository, &moved)?;
            for check in checks {
                let name = self.registry.name(&repository);
                let command = self.words(check, "mayfly.pub", &format!("{name}@{other_image}"));
                refused(&mut { command })?;
            }
        }
        Ok(())
    }

    fn forgeries(&self) -> Result<()> {
        for (layout, checks) in self.layouts() {
            for (number, forgery) in FORGERIES.iter().filter(|(of, _)| *of == layout).enumerate() {
                let repository = format!("forged/{layout}-{number}").replace('_', "-");
                let signed = laid_out::only(&self.signed()?, layout);
                let forged = laid_out::forged(&signed, forgery.1)?;
                self.put_image(&repository, &manifest("app"))?;
                laid_out::push(&self.registry, &repository, &forged)?;
                for check in &checks {
                    refused(&mut self.check(*check, &repository, "mayfly.pub"))
                        .with_context(|| format!("{layout}: {}", forgery.1.name))?;
                }
            }
        }
        Ok(())
    }

    /// cosign signs and attests with a key of its own; mayfly takes the documents from where
    /// cosign put them.
    fn theirs(&self) -> Result<()> {
        let (repository, image) = ("check/theirs", manifest("app"));
        self.put_image(repository, &image)?;
        let name = format!(
            "{}@{}",
            self.registry.name(repository),
            laid_out::digest(&image)
        );
        fs::write(self.path("predicate.json"), r#"{"a":1}"#)?;
        let mut sign = self.in_folder(&self.cosigns.v3);
        sign.args(["sign", "--yes"]).args(UNLOGGED);
        command::capture(sign.args(["--key", "cosign.key", &name]))?;
        let mut attest = self.in_folder(&self.cosigns.v3);
        attest.args(["attest", "--yes"]).args(UNLOGGED);
        attest.args([
            "--predicate",
            "predicate.json",
            "--type",
            "https://example.org/p",
        ]);
        command::capture(attest.args(["--key", "cosign.key", &name]))?;
        let found = self.referrers(repository, &laid_out::digest(&image))?;
        ensure!(found.len() == 2, "cosign left {} documents", found.len());
        fs::write(self.path("found.json"), serde_json::to_vec(&found)?)?;
        command::capture(&mut self.verifier("cosign.pub"))?;
        refused(&mut self.verifier("mayfly.pub"))
    }

    fn verifier(&self, key: &str) -> Command {
        let mut verify = Command::new(&self.signer);
        verify
            .arg("verify")
            .arg(self.folder.path())
            .arg(self.path(key));
        verify
    }

    /// The layers of every referrer that the list at the tag names.
    fn referrers(&self, repository: &str, image: &str) -> Result<Vec<Value>> {
        let get = |kind: &str, reference: &str| -> Result<Value> {
            Ok(serde_json::from_slice(
                &self.registry.get(repository, kind, reference)?,
            )?)
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = get("manifests", &image.replace(':', "-"))?;
        let mut found = Vec::new();
        for referrer in list["manifests"].as_array().context("a list")? {
            let manifest = get("manifests", &text(&referrer["digest"]))?;
            let layer = &manifest["layers"][0];
            let blob = self
                .registry
                .get(repository, "blobs", &text(&layer["digest"]))?;
            found.push(json!({
                "media_type": layer["mediaType"],
                "text": String::from_utf8(blob)?,
            }));
        }
        Ok(found)
    }

    fn make_key(&self) -> Result<()> {
        let mut make = self.in_folder(&self.cosigns.v3);
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
        let name = format!("{}@{image}", self.registry.name(repository));
        self.words(check, key, &name)
    }

    fn words(&self, check: Check, key: &str, name: &str) -> Command {
        let program = match check.program {
            Version::Three => &self.cosigns.v3,
            Version::Two => &self.cosigns.v2,
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

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const UNLOGGED: [&str; 2] = ["--use-signing-config=false", "--tlog-upload=false"];

/// A configuration and a layer; nobody unpacks them.
const BLOBS: [&str; 2] = [r#"{"architecture":"amd64","os":"linux"}"#, "a layer"];

/// An image's manifest; another name makes another image.
fn manifest(name: &str) -> String {
    let described = |media_type: &str, blob: &str| {
        json!({
            "mediaType": media_type,
            "digest": laid_out::digest(blob),
            "size": blob.len(),
        })
    };
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described("application/vnd.oci.image.config.v1+json", BLOBS[0]),
        "layers": [described("application/vnd.oci.image.layer.v1.tar+gzip", BLOBS[1])],
        "annotations": { "name": name },
    })
    .to_string()
}

/// Each class of bytes that a signature or its wrapping has. The media type of a layer at `.sig` is
/// not among them: cosign does not look at it; mayfly's own tests show that mayfly does.
const FORGERIES: [(&str, Forgery); 10] = [
    (
        "signature_tag",
        forgery("the payload", "docker-reference\":\"", 0),
    ),
    (
        "signature_tag",
        forgery("the subject", "docker-manifest-digest\":\"sha256:", 5),
    ),
    (
        "signature_tag",
        forgery("the signature", "cosign/signature\":\"", 30),
    ),
    (
        "attestation_tag",
        forgery("the payload", "\"payload\":\"", 60),
    ),
    (
        "attestation_tag",
        forgery("the signature", "\"sig\":\"", 30),
    ),
    (
        "attestation_tag",
        forgery("the payload's type", "vnd.in-toto+jso", 0),
    ),
    ("referrer", forgery("the payload", "\"payload\":\"", 60)),
    ("referrer", forgery("the signature", "\"sig\":\"", 30)),
    (
        "referrer",
        forgery("the payload's type", "vnd.in-toto+jso", 0),
    ),
    (
        "referrer",
        forgery(
            "the bundle's media type",
            "{\"mediaType\":\"application/vnd.dev.sigstore.bundle",
            0,
        ),
    ),
];

const fn forgery(name: &'static str, before: &'static str, behind: usize) -> Forgery {
    Forgery {
        name,
        before,
        behind,
    }
}

/// Runs a command that has to fail.
fn refused(command: &mut Command) -> Result<()> {
    let line = command::line(command);
    let output = command
        .output()
        .with_context(|| format!("`{line}` cannot be started"))?;
    match output.status.code() {
        Some(code) if code != 0 => Ok(()),
        _ => bail!("`{line}` accepted it"),
    }
}

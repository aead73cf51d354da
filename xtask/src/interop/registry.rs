//! The registry, judged: the conformance program of the specification with everything switched on,
//! and the clients that people use, each with a login.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::bench::docker::Docker;
use crate::command::{self, command};
use crate::judges::{CONFORMANCE, CRANE};
use crate::registry::{Profile, Registry};
use crate::setup;
use crate::step::step;

/// What the conformance program leaves out unless it is told to; everything else is on by itself.
const ALL: [(&str, &str); 6] = [
    ("OCI_VERSION", "dev"),
    ("OCI_API_BLOBS_DIGEST_HEADER", "true"),
    ("OCI_API_BLOBS_UPLOAD_CANCEL", "true"),
    ("OCI_API_MANIFESTS_DIGEST_HEADER", "true"),
    ("OCI_API_MANIFESTS_TAG_PARAM", "true"),
    ("OCI_DATA_SPARSE", "true"),
];

/// How many tests there are at least: a program that tests little proves little.
const LEAST_TESTS: u32 = 1000;

/// Judges the registry. Fails at the first judge that finds something.
pub fn run() -> Result<()> {
    setup::want_packages(&["skopeo", "docker.io"])?;
    let scratch = tempfile::tempdir()?;
    let registry = step("build", || {
        Registry::start(&scratch.path().join("registry"), Profile::Debug)
    })?;
    let place = Place {
        folder: scratch.path(),
        registry: &registry,
    };
    step("conformance", || conformance(&place))?;
    let layer = layer(place.folder)?;
    step("crane", || crane(&place, &layer))?;
    step("skopeo", || skopeo(&place))?;
    step("docker", || docker(&place, &layer))
}

/// Where judges work, and on what.
struct Place<'a> {
    folder: &'a Path,
    registry: &'a Registry,
}

impl Place<'_> {
    fn host(&self) -> String {
        self.registry.address.to_string()
    }

    fn name(&self, rest: &str) -> String {
        format!("{}/{rest}", self.registry.address)
    }
}

fn conformance(place: &Place<'_>) -> Result<()> {
    let results = place.folder.join("results");
    let mut judge = command(&CONFORMANCE.built()?.to_string_lossy(), [""; 0]);
    judge
        .env("OCI_REGISTRY", place.host())
        .env("OCI_TLS", "disabled")
        .env("OCI_USERNAME", "mayfly")
        .env("OCI_PASSWORD", &place.registry.writer)
        .env("OCI_RESULTS_DIR", &results)
        .envs(ALL)
        .stdin(Stdio::null());
    let output = judge.output().context("the judge cannot be started")?;
    let report = fs::read_to_string(results.join("junit.xml"));
    let report = report.with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let count = Count::read(&report)?;
    println!("conformance: {count:?}");
    if count.is_clean() {
        return Ok(());
    }
    bail!("{}", String::from_utf8_lossy(&output.stdout))
}

/// What the report counts. What it does not mention did not happen.
#[derive(Debug, PartialEq, Eq)]
struct Count {
    tests: u32,
    failures: u32,
    errors: u32,
    skipped: u32,
    disabled: u32,
}

impl Count {
    fn read(report: &str) -> Result<Self> {
        let (_, rest) = report
            .split_once("<testsuite ")
            .context("the report has no suite")?;
        let (suite, _) = rest.split_once('>').context("the report is cut off")?;
        let number = |name: &str| match suite.split_once(&format!("{name}=\"")) {
            None => Ok(0),
            Some((_, rest)) => {
                let digits = rest.split('"').next().unwrap_or_default();
                digits.parse().context("a count is no number")
            }
        };
        Ok(Self {
            tests: number("tests")?,
            failures: number("failures")?,
            errors: number("errors")?,
            skipped: number("skipped")?,
            disabled: number("disabled")?,
        })
    }

    fn is_clean(&self) -> bool {
        self.tests >= LEAST_TESTS && self.failures + self.errors + self.skipped + self.disabled == 0
    }
}

/// A layer of a few files, to make images of.
fn layer(folder: &Path) -> Result<PathBuf> {
    let (root, layer) = (folder.join("root"), folder.join("layer.tar"));
    fs::create_dir_all(&root)?;
    fs::write(root.join("hello"), "hello\n")?;
    let noise: Vec<u8> = (0..3_000_000u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    fs::write(root.join("noise"), noise)?;
    let mut tar = command("tar", ["-cf"]);
    command::run(tar.arg(&layer).arg("-C").arg(&root).arg("."))?;
    Ok(layer)
}

fn crane(place: &Place<'_>, layer: &Path) -> Result<()> {
    let program = CRANE.built()?;
    let crane = |arguments: &[&str]| {
        let mut crane = command(&program.to_string_lossy(), arguments);
        crane.env("DOCKER_CONFIG", place.folder.join("crane"));
        crane
    };
    let (host, image) = (place.host(), place.name("crane/app:v1"));
    let layer = layer.to_string_lossy();
    let append = ["append", "--new_layer", &layer, "--new_tag", &image];
    refused(&mut crane(&append), "a push without a login")?;
    let login = |secret: &str| crane(&["auth", "login", &host, "-u", "me", "-p", secret]);
    command::capture(&mut login(&place.registry.writer))?;
    command::capture(&mut crane(&append))?;
    let digest = command::capture(&mut crane(&["digest", &image]))?;
    let pulled = place
        .folder
        .join("crane.tar")
        .to_string_lossy()
        .into_owned();
    let by_digest = place.name(&format!("crane/app@{}", digest.trim()));
    command::capture(&mut crane(&["pull", &by_digest, &pulled]))?;
    command::capture(&mut crane(&["validate", "--remote", &image]))?;
    command::capture(&mut crane(&["copy", &image, &place.name("crane/copy:v2")]))?;
    let tags = command::capture(&mut crane(&["ls", &place.name("crane/copy")]))?;
    ensure!(tags.trim() == "v2", "crane lists `{tags}`");
    let closed = place.name("releases/app:v1");
    refused(&mut crane(&["copy", &image, &closed]), "a push to releases")?;
    command::capture(&mut login(&place.registry.reader))?;
    // What is there already would not be pushed again: another name it is.
    let other = place.name("crane/other:v1");
    refused(
        &mut crane(&["copy", &image, &other]),
        "a push with a token that reads",
    )?;
    command::capture(&mut crane(&["manifest", &image])).map(drop)
}

fn skopeo(place: &Place<'_>) -> Result<()> {
    let skopeo = |arguments: &[&str]| {
        let mut skopeo = command("skopeo", arguments);
        skopeo.env("REGISTRY_AUTH_FILE", place.folder.join("skopeo.json"));
        skopeo
    };
    let host = place.host();
    let login = |secret: &str| {
        let words = [
            "login",
            "--tls-verify=false",
            "-u",
            "me",
            "-p",
            secret,
            &host,
        ];
        skopeo(&words)
    };
    refused(&mut login("mayfly_wrong"), "a login with a wrong token")?;
    command::capture(&mut login(&place.registry.writer))?;
    let copy = |from: &str, to: &str| {
        let mut copy = skopeo(&["copy", "--insecure-policy", "--all"]);
        copy.args([
            "--src-tls-verify=false",
            "--dest-tls-verify=false",
            from,
            to,
        ]);
        command::capture(&mut copy)
    };
    let source = format!("docker://{}", place.name("crane/app:v1"));
    let layout = format!("oci:{}:v1", place.folder.join("layout").display());
    let pushed = format!("docker://{}", place.name("skopeo/app:v1"));
    copy(&source, &layout)?;
    copy(&layout, &pushed)?;
    let inspect = |name: &str| {
        let words = [
            "inspect",
            "--tls-verify=false",
            "--format",
            "{{.Digest}}",
            name,
        ];
        command::capture(&mut skopeo(&words))
    };
    inspect(&pushed)?;
    let mirrored = format!("docker://{}", place.name("skopeo/mirror:v1"));
    copy(&source, &mirrored)?;
    let (ours, theirs) = (inspect(&mirrored)?, inspect(&source)?);
    ensure!(ours == theirs, "a copy of {theirs} is {ours}");
    command::capture(&mut skopeo(&["delete", "--tls-verify=false", &mirrored]))?;
    ensure!(inspect(&mirrored).is_err(), "what was deleted is there");
    Ok(())
}

fn docker(place: &Place<'_>, layer: &Path) -> Result<()> {
    let docker = Docker::start(&place.folder.join("docker"))?;
    let run = |arguments: &[&str]| {
        let mut client = docker.client(arguments);
        client.env("DOCKER_CONFIG", place.folder.join("docker-config"));
        client
    };
    let (host, image) = (place.host(), place.name("docker/app:v1"));
    command::capture(&mut run(&["import", &layer.to_string_lossy(), &image]))?;
    refused(&mut run(&["push", &image]), "a push without a login")?;
    let login = ["login", "--username", "me", "--password-stdin", &host];
    ensure!(
        with_input(run(&login), "mayfly_wrong").is_err(),
        "docker logs in with a wrong token"
    );
    with_input(run(&login), &place.registry.writer)?;
    command::capture(&mut run(&["push", &image]))?;
    let id = |name: &str| {
        let inspect = ["image", "inspect", "--format", "{{.Id}}", name];
        command::capture(&mut run(&inspect))
    };
    let before = id(&image)?;
    command::capture(&mut run(&["rmi", &image]))?;
    ensure!(id(&image).is_err(), "docker still has the image");
    command::capture(&mut run(&["pull", &image]))?;
    let after = id(&image)?;
    ensure!(before == after, "pushed {before}, pulled {after}");
    let closed = place.name("releases/app:v1");
    command::capture(&mut run(&["tag", &image, &closed]))?;
    refused(&mut run(&["push", &closed]), "a push to releases")
}

/// Runs a command that has to fail because the registry refuses.
fn refused(command: &mut Command, what: &str) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    ensure!(!output.status.success(), "{what} goes through");
    let words = [output.stdout, output.stderr].concat();
    let words = String::from_utf8_lossy(&words).to_lowercase();
    let reasons = [
        "denied",
        "unauthorized",
        "authentication required",
        "invalid username",
    ];
    ensure!(
        reasons.iter().any(|reason| words.contains(reason)),
        "{what} fails for another reason: {words}"
    );
    Ok(())
}

fn with_input(mut command: Command, input: &str) -> Result<()> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut pipe = child.stdin.take().context("no input")?;
    pipe.write_all(input.as_bytes())?;
    drop(pipe);
    ensure!(
        child.wait()?.success(),
        "`{}` failed",
        command::line(&command)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_clean_when_all_ran_and_nothing_failed() {
        let report = |counts: &str| {
            format!(r#"<testsuites tests="7"><testsuite name="x" {counts}><testcase/>"#)
        };
        for (counts, clean) in [
            (r#"tests="1032" failures="0" errors="0" time="6.8""#, true),
            (r#"tests="12" failures="0" errors="0""#, false),
            (r#"tests="1032" failures="1" errors="0""#, false),
            (r#"tests="1032" failures="0" errors="2""#, false),
            (r#"tests="1032" failures="0" errors="0" skipped="1""#, false),
            (
                r#"tests="1032" failures="0" errors="0" disabled="3""#,
                false,
            ),
        ] {
            let count = Count::read(&report(counts)).expect(counts);
            assert_eq!(count.is_clean(), clean, "{counts}");
        }
        assert!(Count::read("nothing").is_err());
    }
}

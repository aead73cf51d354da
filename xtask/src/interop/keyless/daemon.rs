//! A whole mayfly that signs as an identity: what it releases, cosign verifies; while a service is
//! dead, nothing is released.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use super::services::{ANN, GOOD, Services};
use super::{BOB, WHATS};
use crate::command::{self, command};
use crate::interop::ours;
use crate::mayfly::Mayfly;
use crate::place;

/// A daemon with one release, signed as Ann.
pub(super) struct Daemon {
    // Ends before its folder goes.
    mayfly: Mayfly,
    app: PathBuf,
    _scratch: TempDir,
}

impl Daemon {
    /// Brings an app up, which cosign and mayfly itself verify by who signed it.
    pub(super) fn releases(cosign: &Path, services: &Services, folder: &Path) -> Result<Self> {
        command::run(&mut command(
            "cargo",
            ["build", "--locked", "--package", "mayfly"],
        ))?;
        let scratch = tempfile::tempdir()?;
        let mayfly = Mayfly::new(&place::target().join("debug/mayfly"), scratch.path())?;
        let settings = settings(services, folder, scratch.path())?;
        mayfly.serve_with(&["--anonymous-pull", "--keyless", &settings])?;
        let app = scratch.path().join("page");
        fs::create_dir(&app)?;
        fs::write(app.join("index.html"), "version A")?;
        mayfly.up(&app, "page")?.promoted()?;
        let issuer = services.issuer_url();
        command::capture(&mut mayfly.command(&["verify", "page"]))?;
        let reference = reference(&mayfly, &scratch.path().join("keys"))?;
        for what in WHATS {
            command::capture(&mut verify(
                cosign,
                what,
                folder,
                [ANN, &issuer],
                &reference,
            ))?;
            ours::refused(&mut verify(
                cosign,
                what,
                folder,
                [BOB, &issuer],
                &reference,
            ))?;
        }
        outside(&mayfly, folder, [ANN, &issuer], &reference)?;
        Ok(Self {
            mayfly,
            app,
            _scratch: scratch,
        })
    }

    /// Without its services it releases nothing, and what served still does.
    pub(super) fn releases_nothing(&self) -> Result<()> {
        fs::write(self.app.join("index.html"), "version B")?;
        let mut up = self.mayfly.command(&["up", "--app", "page"]);
        let said = ours::refused(up.arg(&self.app))?;
        ensure!(
            said.contains("certificate authority"),
            "it fails otherwise: {said}"
        );
        let status = command::capture(&mut self.mayfly.command(&["status", "page"]))?;
        ensure!(
            status.contains("release 1"),
            "something unsigned serves: {status}"
        );
        Ok(())
    }
}

fn settings(services: &Services, folder: &Path, scratch: &Path) -> Result<String> {
    let token = scratch.join("token");
    fs::write(&token, services.token(GOOD)?)?;
    let path = scratch.join("keyless.toml");
    let text = format!(
        "trusted_root = {:?}\nsigning_config = {:?}\ntoken = {token:?}\nidentity = {ANN:?}\n\
         issuer = {:?}\nwait_seconds = 2\n",
        folder.join("trusted_root.json"),
        folder.join("signing_config.json"),
        services.issuer_url(),
    );
    fs::write(&path, text)?;
    Ok(path.display().to_string())
}

/// The image of the release, as clients of the registry name it.
fn reference(mayfly: &Mayfly, keys: &Path) -> Result<String> {
    let mut export = mayfly.command(&["key", "export", "page", "--json", "--to"]);
    let export = command::capture(export.arg(keys))?;
    let export: serde_json::Value = serde_json::from_str(&export)?;
    let commands = export["commands"].to_string();
    let word = commands
        .split([' ', '"', '\\'])
        .find(|word| word.contains("apps/page@sha256:"));
    Ok(word.context("the export names no image")?.to_owned())
}

fn verify(
    cosign: &Path,
    what: &[&str],
    folder: &Path,
    [subject, issuer]: [&str; 2],
    reference: &str,
) -> Command {
    let mut verify = Command::new(cosign);
    verify.current_dir(folder).env("HOME", folder).args(what);
    verify.args([
        "--trusted-root",
        "trusted_root.json",
        "--use-signed-timestamps",
    ]);
    verify.args(["--allow-http-registry", "--certificate-identity", subject]);
    verify.args(["--certificate-oidc-issuer", issuer, reference]);
    verify
}

/// The same image as somebody else sees it, by mayfly without its daemon.
fn outside(
    mayfly: &Mayfly,
    folder: &Path,
    [subject, issuer]: [&str; 2],
    reference: &str,
) -> Result<()> {
    let root = folder.join("trusted_root.json");
    let root = root.to_str().context("a path in UTF-8")?;
    let ask = |who: &str| {
        let words = ["verify", reference, "--identity", who, "--issuer", issuer];
        let mut verify = mayfly.command(&words);
        verify.args(["--trusted-root", root]);
        verify
    };
    command::capture(&mut ask(subject))?;
    ours::refused(&mut ask(BOB)).map(drop)
}

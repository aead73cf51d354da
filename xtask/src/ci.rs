//! `cargo xtask ci`: the checks that every change passes.

use std::process::Command;

use anyhow::Result;

use crate::command::{self, command};
use crate::own_crates;
use crate::setup;
use crate::step::step;

/// Cargo's variable for the program that runs tests (Cargo book, "Environment Variables").
const TEST_RUNNER: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER";

/// Sets the machine up, then checks format, lints, dependencies, their known vulnerabilities and
/// tests, in this order: what is quick to fail comes first. Stops at the first failure.
pub fn run() -> Result<()> {
    step("setup", setup::run)?;
    step("fmt", || cargo(&["fmt", "--all", "--check"]))?;
    step("clippy", || cargo(&CLIPPY))?;
    step("deny", || {
        let mut deny = command(&setup::cargo_deny()?.to_string_lossy(), DENY);
        command::run(&mut deny)
    })?;
    step("known vulnerabilities of our crates", own_crates::check)?;
    step("test", test)
}

const CLIPPY: [&str; 9] = [
    "clippy",
    "--locked",
    "--workspace",
    "--all-targets",
    "--features",
    "xtask/edge,xtask/interop,xtask/registry",
    "--",
    "-D",
    "warnings",
];
const DENY: [&str; 6] = [
    "--workspace",
    "--locked",
    "check",
    "bans",
    "licenses",
    "sources",
];

fn cargo(arguments: &[&str]) -> Result<()> {
    command::run(&mut command("cargo", arguments))
}

/// All tests. They make namespaces and cgroups, which takes root: another user's run by sudo.
fn test() -> Result<()> {
    let mut test: Command = command(
        "cargo",
        ["test", "--locked", "--workspace", "--no-fail-fast"],
    );
    if !command::is_root() {
        test.env(TEST_RUNNER, "sudo --preserve-env --");
    }
    command::run(&mut test)
}

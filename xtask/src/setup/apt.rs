//! Debian packages, from the mirrors that this machine's apt is set to.

use anyhow::{Context, Result, bail};

use crate::command::{self, as_root, command};

/// Those of `packages` that are not installed.
pub fn missing(packages: impl IntoIterator<Item = &'static str>) -> Result<Vec<&'static str>> {
    if command::find("dpkg-query").is_none() {
        bail!("this task installs packages by apt: run it on Debian or Ubuntu");
    }
    let absent = |package: &&str| !is_installed(package);
    Ok(packages.into_iter().filter(absent).collect())
}

/// Installs packages without recommended ones and without starting their services. Nothing is done
/// for those that are there.
pub fn install(packages: &[&'static str]) -> Result<()> {
    let missing = missing(packages.iter().copied())?;
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("installing {}", missing.join(", "));
    if get(&missing).is_err() {
        command::capture(&mut as_root("apt-get", ["update", "-qq"]))?;
        get(&missing).with_context(|| format!("cannot install {}", missing.join(", ")))?;
    }
    Ok(())
}

/// `RUNLEVEL=1` keeps maintainer scripts from starting services (invoke-rc.d(8)).
fn get(packages: &[&str]) -> Result<String> {
    let options = ["install", "-y", "-qq", "--no-install-recommends", "--"];
    let mut install = as_root("apt-get", options.iter().chain(packages));
    install
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1");
    command::capture(&mut install)
}

fn is_installed(package: &str) -> bool {
    let mut query = command("dpkg-query", ["--show", "--showformat=${Status}", package]);
    command::capture(&mut query).is_ok_and(|status| status == "install ok installed")
}

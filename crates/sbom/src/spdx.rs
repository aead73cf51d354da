//! The inventory as an SPDX 2.3 document in JSON.
//!
//! Source: SPDX specification 2.3, and its JSON schema.

use std::collections::BTreeMap;

use model::Digest;
use serde::Serialize;

use model::inventory::About;
use model::inventory::Inventory;
use model::inventory::Purl;
use model::inventory::{Ecosystem, Package, Presence};

const NOTHING_SAID: &str = "NOASSERTION";
const ROOT: &str = "SPDXRef-Image";
const DOCUMENT: &str = "SPDXRef-DOCUMENT";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    spdx_version: &'a str,
    data_license: &'a str,
    #[serde(rename = "SPDXID")]
    id: &'a str,
    name: String,
    document_namespace: String,
    creation_info: Creation,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    document_describes: [&'a str; 1],
    packages: Vec<Entry<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    has_extracted_licensing_infos: Vec<LicenceText<'a>>,
    relationships: Vec<Relationship>,
}

#[derive(Serialize)]
struct Creation {
    created: String,
    creators: [String; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(rename = "SPDXID")]
    id: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_info: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_package_purpose: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    homepage: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_info: Option<String>,
    download_location: &'a str,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    license_concluded: &'a str,
    license_declared: &'a str,
    copyright_text: &'a str,
    external_refs: [Reference<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Reference<'a> {
    reference_category: &'a str,
    reference_type: &'a str,
    reference_locator: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LicenceText<'a> {
    license_id: &'a str,
    extracted_text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Relationship {
    spdx_element_id: String,
    relationship_type: &'static str,
    related_spdx_element: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

/// Writes the document. The same inventory and the same words about it give the same bytes.
pub(crate) fn document(inventory: &Inventory, about: &About<'_>) -> Vec<u8> {
    let version = about.version();
    let ids: BTreeMap<&Purl, String> = inventory
        .packages()
        .iter()
        .map(|package| (&package.purl, id(package)))
        .collect();
    let distributor = inventory.distribution().and_then(|one| one.name.as_deref());
    let mut packages = vec![root(about, &version)];
    packages.extend(
        inventory
            .packages()
            .iter()
            .map(|one| entry(one, &ids[&one.purl], distributor)),
    );
    let texts = inventory.licence_texts().iter();
    let mut document = Document {
        spdx_version: "SPDX-2.3",
        data_license: "CC0-1.0",
        id: DOCUMENT,
        name: format!("{} {version}", about.app),
        document_namespace: String::new(),
        creation_info: Creation {
            created: about.time(),
            creators: [format!("Tool: mayfly-{}", env!("CARGO_PKG_VERSION"))],
        },
        comment: comment(inventory),
        document_describes: [ROOT],
        packages,
        has_extracted_licensing_infos: texts
            .map(|(license_id, extracted_text)| LicenceText {
                license_id,
                extracted_text,
            })
            .collect(),
        relationships: relationships(inventory, &ids),
    };
    // Unique to the content, as the format wants it, and the same for the same content.
    let content = Digest::of(&serde_json::to_vec(&document).unwrap_or_default());
    document.document_namespace = format!("urn:mayfly:spdx:{}:{}", about.app, content.hex());
    serde_json::to_vec(&document).unwrap_or_default()
}

fn root<'a>(about: &'a About<'_>, version: &'a str) -> Entry<'a> {
    Entry {
        id: ROOT.to_owned(),
        name: about.app.as_str(),
        version_info: Some(version),
        primary_package_purpose: Some("CONTAINER"),
        supplier: None,
        homepage: None,
        source_info: None,
        download_location: NOTHING_SAID,
        files_analyzed: false,
        checksums: vec![Checksum {
            algorithm: "SHA256",
            checksum_value: about.image.hex(),
        }],
        license_concluded: NOTHING_SAID,
        license_declared: NOTHING_SAID,
        copyright_text: NOTHING_SAID,
        external_refs: [purl_reference(about.purl())],
        comment: Some(format!("the OCI image with the manifest {}", about.image)),
    }
}

fn entry<'a>(package: &'a Package, id: &str, distributor: Option<&str>) -> Entry<'a> {
    let distributed = package.ecosystem == Ecosystem::Debian;
    Entry {
        id: id.to_owned(),
        name: &package.name,
        version_info: package.version.as_deref(),
        primary_package_purpose: None,
        supplier: distributor
            .filter(|_| distributed)
            .map(|name| format!("Organization: {name}")),
        homepage: package.homepage.as_deref().filter(|url| is_web(url)),
        source_info: source_info(package),
        download_location: NOTHING_SAID,
        files_analyzed: false,
        checksums: Vec::new(),
        license_concluded: NOTHING_SAID,
        license_declared: package.licence.as_deref().unwrap_or(NOTHING_SAID),
        copyright_text: NOTHING_SAID,
        external_refs: [purl_reference(package.purl.to_string())],
        comment: presence(package),
    }
}

fn purl_reference<'a>(purl: String) -> Reference<'a> {
    Reference {
        reference_category: "PACKAGE-MANAGER",
        reference_type: "purl",
        reference_locator: purl,
    }
}

fn source_info(package: &Package) -> Option<String> {
    let files = package.found_in.join(", ");
    let built = package.source.as_ref().map(|source| {
        format!(
            "built from source package: {} {}",
            source.name, source.version
        )
    });
    match (built, files.is_empty()) {
        (built, true) => built,
        (Some(built), false) => Some(format!("{built}; found in: {files}")),
        (None, false) => Some(format!("found in: {files}")),
    }
}

fn presence(package: &Package) -> Option<String> {
    match package.presence {
        Presence::Installed => None,
        Presence::Runtime => Some("the image runs on it and does not contain it".into()),
        Presence::Declared => Some(format!(
            "declared in {}, not installed",
            package.declared_in.join(", ")
        )),
    }
}

fn comment(inventory: &Inventory) -> Option<String> {
    let problems = inventory.problems().len();
    (!inventory.is_complete())
        .then(|| format!("incomplete: {problems} files could not be read or understood"))
}

fn relationships(inventory: &Inventory, ids: &BTreeMap<&Purl, String>) -> Vec<Relationship> {
    let relation = |from: &str, relationship_type, to: &str| Relationship {
        spdx_element_id: from.to_owned(),
        relationship_type,
        related_spdx_element: to.to_owned(),
        comment: None,
    };
    let mut all = vec![relation(DOCUMENT, "DESCRIBES", ROOT)];
    for package in inventory.packages() {
        let id = &ids[&package.purl];
        all.push(match package.presence {
            Presence::Installed => relation(ROOT, "CONTAINS", id),
            Presence::Runtime => relation(id, "RUNTIME_DEPENDENCY_OF", ROOT),
            // It is of neither kind: nothing in the image depends on it.
            Presence::Declared => Relationship {
                comment: Some("declared in a lock file, not installed".into()),
                ..relation(ROOT, "OTHER", id)
            },
        });
        let needed = package.depends_on.iter().filter_map(|purl| ids.get(purl));
        all.extend(needed.map(|to| relation(id, "DEPENDS_ON", to)));
    }
    all
}

/// Readable, and unique by the hash of the URL.
fn id(package: &Package) -> String {
    let clean: String = package
        .name
        .chars()
        .map(|letter| match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => letter,
            _ => '-',
        })
        .take(80)
        .collect();
    let hash = Digest::of(package.purl.as_str().as_bytes()).hex();
    let kind = package.ecosystem.as_str();
    format!("SPDXRef-{kind}-{clean}-{}", &hash[..16])
}

/// The format's own reader insists on an address.
fn is_web(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte))
}

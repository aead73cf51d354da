//! The inventory as a CycloneDX 1.6 document in JSON.
//!
//! Source: ECMA-424, and its JSON schema.

use model::Digest;
use serde::Serialize;

use model::inventory::About;
use model::inventory::Inventory;
use model::inventory::{Ecosystem, Package, Presence};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    #[serde(rename = "$schema")]
    schema: &'a str,
    bom_format: &'a str,
    spec_version: &'a str,
    serial_number: String,
    version: u32,
    metadata: Metadata<'a>,
    components: Vec<Component<'a>>,
    dependencies: Vec<Dependency<'a>>,
    compositions: [Composition<'a>; 1],
}

#[derive(Serialize)]
struct Metadata<'a> {
    timestamp: String,
    tools: Tools<'a>,
    component: Component<'a>,
}

#[derive(Serialize)]
struct Tools<'a> {
    components: [Component<'a>; 1],
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Component<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(rename = "bom-ref", skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    publisher: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<Licence<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Evidence<'a>>,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Licence<'a> {
    expression: &'a str,
    acknowledgement: &'static str,
}

#[derive(Serialize)]
struct Property<'a> {
    name: &'static str,
    value: &'a str,
}

#[derive(Serialize)]
struct Evidence<'a> {
    occurrences: Vec<Occurrence<'a>>,
}

#[derive(Serialize)]
struct Occurrence<'a> {
    location: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependency<'a> {
    #[serde(rename = "ref")]
    reference: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    depends_on: Vec<&'a str>,
}

#[derive(Serialize)]
struct Composition<'a> {
    aggregate: &'static str,
    assemblies: [&'a str; 1],
}

/// Writes the document. The same inventory and the same words about it give the same bytes.
pub(crate) fn document(inventory: &Inventory, about: &About<'_>) -> Vec<u8> {
    let (version, purl, digest) = (about.version(), about.purl(), about.image.to_string());
    let mut document = Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        bom_format: "CycloneDX",
        spec_version: "1.6",
        serial_number: String::new(),
        version: 1,
        metadata: Metadata {
            timestamp: about.time(),
            tools: Tools {
                components: [Component {
                    kind: "application",
                    name: "mayfly",
                    version: Some(env!("CARGO_PKG_VERSION")),
                    ..Component::default()
                }],
            },
            component: root(about, &version, &purl, &digest),
        },
        components: inventory.packages().iter().map(component).collect(),
        dependencies: dependencies(inventory, &purl),
        compositions: [Composition {
            aggregate: match inventory.is_complete() {
                true => "complete",
                false => "incomplete",
            },
            assemblies: [&purl],
        }],
    };
    let content = Digest::of(&serde_json::to_vec(&document).unwrap_or_default());
    document.serial_number = serial_number(&content);
    serde_json::to_vec(&document).unwrap_or_default()
}

fn root<'a>(
    about: &'a About<'_>,
    version: &'a str,
    purl: &'a str,
    digest: &'a str,
) -> Component<'a> {
    Component {
        kind: "container",
        reference: Some(purl),
        name: about.app.as_str(),
        version: Some(version),
        hashes: vec![Hash {
            alg: "SHA-256",
            content: about.image.hex(),
        }],
        purl: Some(purl),
        properties: vec![Property {
            name: "mayfly:image",
            value: digest,
        }],
        ..Component::default()
    }
}

fn component(package: &Package) -> Component<'_> {
    let (group, name) = group_and_name(package);
    let licences = package.licence.iter().map(|expression| Licence {
        expression,
        acknowledgement: "declared",
    });
    let occurrences: Vec<_> = package
        .found_in
        .iter()
        .map(|location| Occurrence { location })
        .collect();
    Component {
        kind: match package.ecosystem {
            Ecosystem::Generic => "application",
            _ => "library",
        },
        reference: Some(package.purl.as_str()),
        publisher: package.maintainer.as_deref(),
        group,
        name,
        version: package.version.as_deref(),
        scope: Some(match package.presence {
            Presence::Installed | Presence::Runtime => "required",
            Presence::Declared => "excluded",
        }),
        hashes: Vec::new(),
        licenses: licences.collect(),
        purl: Some(package.purl.as_str()),
        properties: properties(package),
        evidence: (!occurrences.is_empty()).then_some(Evidence { occurrences }),
    }
}

/// `@scope` and `name` of Node packages are two fields here.
fn group_and_name(package: &Package) -> (Option<&str>, &str) {
    match package.name.split_once('/') {
        Some((scope, name)) if package.ecosystem == Ecosystem::Npm => (Some(scope), name),
        _ => (None, &package.name),
    }
}

fn properties(package: &Package) -> Vec<Property<'_>> {
    let mut properties = vec![Property {
        name: "mayfly:presence",
        value: match package.presence {
            Presence::Installed => "installed",
            Presence::Runtime => "runtime",
            Presence::Declared => "declared",
        },
    }];
    if let Some(source) = &package.source {
        properties.push(Property {
            name: "mayfly:source",
            value: &source.name,
        });
        properties.push(Property {
            name: "mayfly:source-version",
            value: &source.version,
        });
    }
    let declared = package.declared_in.iter().map(|value| Property {
        name: "mayfly:declared-in",
        value,
    });
    properties.extend(declared);
    properties
}

/// The image needs all that is in it and what it runs on; packages need what they name.
fn dependencies<'a>(inventory: &'a Inventory, root: &'a str) -> Vec<Dependency<'a>> {
    let there = inventory.packages().iter();
    let there = there.filter(|package| package.presence != Presence::Declared);
    let mut all = vec![Dependency {
        reference: root,
        depends_on: there.map(|package| package.purl.as_str()).collect(),
    }];
    all.extend(inventory.packages().iter().map(|package| {
        Dependency {
            reference: package.purl.as_str(),
            depends_on: package
                .depends_on
                .iter()
                .map(|purl| purl.as_str())
                .collect(),
        }
    }));
    all
}

/// A UUID of the content. Source: RFC 9562, 5.8 (version 8, "custom").
fn serial_number(content: &Digest) -> String {
    let hex = content.hex();
    let variant = match u8::from_str_radix(&hex[16..17], 16).unwrap_or(0) & 3 {
        0 => '8',
        1 => '9',
        2 => 'a',
        _ => 'b',
    };
    format!(
        "urn:uuid:{}-{}-8{}-{variant}{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}

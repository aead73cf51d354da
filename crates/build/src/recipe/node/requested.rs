//! The packages of a bun.lock, as the gate is asked about them.

use std::fmt;

use model::failure::{Failure, FailureCode};
use model::inventory::{Ecosystem, Purl};
use ports::{Origin, Requested};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

use super::lock::Lock;
use crate::recipe::admission::{asked, without_credentials};
use crate::recipe::kit::Order;

/// Sections of package.json that ask for packages.
const SECTIONS: [&str; 4] = [
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
];

/// What a lock names. Direct are those that a package.json of the app asks for; `list` is the first
/// of these, as people know it.
pub(super) fn of_lock(
    order: &Order<'_>,
    list: &str,
    manifests: &[(String, String)],
    lock: &Lock,
) -> Result<Vec<Requested>, Failure> {
    let manifests: Vec<Value> = manifests
        .iter()
        .map(|(_, text)| serde_json::from_str(text).unwrap_or_default())
        .collect();
    let asks = |place: &str| {
        let names = |manifest: &Value| SECTIONS.iter().any(|it| !manifest[it][place].is_null());
        manifests.iter().any(names)
    };
    let packages = entries(&lock.text).map_err(|cause| unreadable(&cause))?;
    let requested = packages.iter().filter_map(|(place, version)| {
        let mut one = requested(version)?;
        one.direct = asks(place);
        if one.direct {
            one.asked = asked(order, list, Ecosystem::Npm, place);
        }
        Some(one)
    });
    Ok(requested.collect())
}

/// Where each package of a lock lies, and its name and version.
///
/// The installer has a reader of its own, and an app may bring its own lock: what cannot be read
/// here is refused, and of two entries with one name both are asked about.
fn entries(text: &str) -> Result<Vec<(String, String)>, serde_json::Error> {
    if text.trim().is_empty() {
        return Ok(vec![]);
    }
    let lock: BunLock = serde_json::from_str(&without_last_commas(text))?;
    let Entries(entries) = lock.packages;
    let version = |entry: Vec<Value>| {
        let version = entry.first().and_then(Value::as_str);
        version.map(str::to_owned)
    };
    let entries = entries.into_iter().map(|(place, entry)| {
        let version = version(entry);
        let version = version.ok_or_else(|| de::Error::custom(format!("`{place}` has no version")));
        Ok((place, version?))
    });
    entries.collect()
}

fn unreadable(cause: &serde_json::Error) -> Failure {
    Failure::new(
        FailureCode::Dependency,
        "the lock of the Node packages cannot be read",
    )
    .because(cause.to_string())
    .hint("delete the lock file, then run `mayfly up` again: versions are chosen anew")
}

/// A second `packages` is an error.
#[derive(Deserialize)]
struct BunLock {
    #[serde(default)]
    packages: Entries,
}

/// All entries of an object, those with equal names too.
#[derive(Default)]
struct Entries(Vec<(String, Vec<Value>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> de::Visitor<'de> for Each {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("packages")
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// JSON as the installer writes it has a comma after the last of a list.
fn without_last_commas(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    for letter in text.chars() {
        if !inside && (letter == '}' || letter == ']') {
            let end = plain.trim_end().len();
            if plain[..end].ends_with(',') {
                plain.truncate(end - 1);
            }
        }
        if letter == '"' && !escaped {
            inside = !inside;
        }
        escaped = inside && letter == '\\' && !escaped;
        plain.push(letter);
    }
    plain
}

/// `None` for the app's own workspaces.
fn requested(version: &str) -> Option<Requested> {
    let end = name_end(version).unwrap_or(version.len());
    let name = &version[..end];
    let wish = version.get(end + 1..).unwrap_or_default();
    let origin = origin(wish)?;
    let version = match origin {
        Origin::Registry => wish,
        _ => "",
    };
    Some(Requested {
        ecosystem: Ecosystem::Npm,
        name: name.to_owned(),
        version: version.to_owned(),
        purl: Purl::npm(name, version),
        origin,
        direct: false,
        asked: None,
    })
}

/// Where the name ends in `name@wish`; an address in the wish may have an `@` of its own.
fn name_end(version: &str) -> Option<usize> {
    let scope = usize::from(version.starts_with('@'));
    version[scope..].find('@').map(|at| at + scope)
}

/// Source: npm's documentation, package.json, "dependencies".
fn origin(wish: &str) -> Option<Origin> {
    let starts = |starts: &[&str]| starts.iter().any(|start| wish.starts_with(start));
    if wish.starts_with("workspace:") {
        return None;
    }
    if starts(&["git+", "git:", "git@", "github:", "gitlab:", "bitbucket:"]) {
        return Some(Origin::Git {
            url: without_credentials(wish),
        });
    }
    if starts(&["http://", "https://"]) {
        return Some(Origin::Url {
            url: without_credentials(wish),
        });
    }
    let local = starts(&["file:", "link:", "./", "../", "/"]);
    Some(match local {
        true => Origin::Folder {
            path: wish.to_owned(),
        },
        false => Origin::Registry,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_tells_where_each_package_comes_from() {
        let text = "{\n  \"packages\": {\n    \
            \"express\": [\"express@5.0.0\", \"\", {}, \"sha512-A==\"],\n    \
            \"@a/b\": [\"@a/b@1.0.0\", \"\", {}, \"sha512-B==\"],\n    \
            \"alias\": [\"real@1.0.0\", \"\", {}, \"sha512-B==\"],\n    \
            \"tool\": [\"tool@github:me/tool#abc\", {}, \"me-tool-abc\"],\n    \
            \"own\": [\"own@workspace:packages/own\"],\n    \
            \"ball\": [\"ball@https://me:pw@x.example/ball.tgz\", {}, \"sha512-C==\"],\n  }\n}\n";
        let packages = entries(text).expect("a lock");
        let seen: Vec<(String, String)> = packages
            .iter()
            .filter_map(|(_, version)| requested(version))
            .map(|it| (it.purl.to_string(), it.origin.to_string()))
            .collect();
        let expected = [
            ("pkg:npm/express@5.0.0", "the registry"),
            ("pkg:npm/%40a/b@1.0.0", "the registry"),
            ("pkg:npm/real@1.0.0", "the registry"),
            ("pkg:npm/tool", "github:me/tool#abc"),
            ("pkg:npm/ball", "https://x.example/ball.tgz"),
        ];
        let expected: Vec<(String, String)> = expected
            .map(|(purl, origin)| (purl.to_owned(), origin.to_owned()))
            .into();
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_lock_hides_nothing_by_its_form() {
        let names = |text: &str| {
            let entries = entries(text).map_err(|cause| cause.to_string())?;
            let names = entries.into_iter().map(|(_, version)| version);
            Ok::<_, String>(names.collect::<Vec<_>>())
        };
        for (text, expected) in [
            (
                r#"{"packages":{"a":["evil@1.0.0",""]}}"#,
                vec!["evil@1.0.0"],
            ),
            (
                r#"{"packages":{"a":["evil@1.0.0"],"a":["good@1.0.0",],},}"#,
                vec!["evil@1.0.0", "good@1.0.0"],
            ),
            (
                r#"{"p\u0061ckages":{"a":["evil@1.0.0"]}}"#,
                vec!["evil@1.0.0"],
            ),
            (r#"{"packages":{",]":["a@1, }",],}}"#, vec!["a@1, }"]),
            ("", vec![]),
        ] {
            assert_eq!(names(text).expect(text), expected);
        }
        for text in [
            r#"{"packages":{},"packages":{"a":["evil@1.0.0"]}}"#,
            r#"{"packages":{"a":[]}}"#,
            r#"{/* "*/"packages":{"a":["evil@1.0.0"]}}"#,
            "{'packages':{}}",
        ] {
            assert!(names(text).is_err(), "{text}");
        }
    }
}

//! The packages of a bun.lock, as the gate is asked about them.

use model::inventory::{Ecosystem, Purl};
use ports::{Origin, Requested};
use serde_json::Value;

use super::lock::{Lock, Locked};
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
) -> Vec<Requested> {
    let manifests: Vec<Value> = manifests
        .iter()
        .map(|(_, text)| serde_json::from_str(text).unwrap_or_default())
        .collect();
    let asks = |place: &str| {
        let names = |manifest: &Value| SECTIONS.iter().any(|it| !manifest[it][place].is_null());
        manifests.iter().any(names)
    };
    let packages = lock.packages().into_iter();
    let requested = packages.filter_map(|package| {
        let mut one = requested(&package)?;
        one.direct = asks(&package.place);
        if one.direct {
            one.asked = asked(order, list, Ecosystem::Npm, &package.place);
        }
        Some(one)
    });
    requested.collect()
}

/// `None` for the app's own workspaces.
fn requested(package: &Locked) -> Option<Requested> {
    let name = package.name();
    let wish = package.version.get(name.len() + 1..).unwrap_or_default();
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
    use model::Digest;

    #[test]
    fn a_lock_tells_where_each_package_comes_from() {
        let text = "{\n  \"packages\": {\n    \
            \"express\": [\"express@5.0.0\", \"\", {}, \"sha512-A==\"],\n    \
            \"@a/b\": [\"@a/b@1.0.0\", \"\", {}, \"sha512-B==\"],\n    \
            \"alias\": [\"real@1.0.0\", \"\", {}, \"sha512-B==\"],\n    \
            \"tool\": [\"tool@github:me/tool#abc\", {}, \"me-tool-abc\"],\n    \
            \"own\": [\"own@workspace:packages/own\"],\n    \
            \"ball\": [\"ball@https://me:pw@x.example/ball.tgz\", {}, \"sha512-C==\"],\n  }\n}\n";
        let lock = Lock {
            input: Digest::of(b""),
            text: text.into(),
        };
        let packages = lock.packages();
        let seen: Vec<(String, String)> = packages
            .iter()
            .filter_map(requested)
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
}

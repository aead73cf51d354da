//! What went into an image, by the pins of its build: each package with the digest by which it was
//! accepted.

use std::collections::BTreeMap;

use base64::prelude::{BASE64_STANDARD, Engine};
use model::inventory::Purl;
use model::provenance::Dependency;
use toml::{Table, Value};

use crate::debian;
use crate::recipe::{node_packages, python_packages};

/// The packages that `pins` name. Pins of other kinds name none.
pub(crate) fn of(pins: &BTreeMap<String, Vec<u8>>) -> Vec<Dependency> {
    let of_pin = |(name, pin): (&String, &Vec<u8>)| match name.as_str() {
        name if name.starts_with("base.") => debs(pin),
        name if name.starts_with("python.") => wheels(pin),
        name if name.starts_with("node.") => archives(pin),
        _ => Vec::new(),
    };
    pins.iter().flat_map(of_pin).collect()
}

fn debs(pin: &[u8]) -> Vec<Dependency> {
    let packages = debian::pinned(pin).into_iter();
    let dependency = |package: debian::PinnedPackage| Dependency {
        uri: Purl::deb(
            "debian",
            &package.package,
            &package.version,
            &[("arch", Some(package.architecture))],
        )
        .to_string(),
        digest: sha256(package.sha256.hex()),
        name: package.package,
    };
    packages.map(dependency).collect()
}

fn wheels(pin: &[u8]) -> Vec<Dependency> {
    let Some(text) = python_packages(pin) else {
        return Vec::new();
    };
    let lock: Table = toml::from_str(&text).unwrap_or_default();
    let packages = lock.get("packages").and_then(Value::as_array);
    packages.into_iter().flatten().filter_map(wheel).collect()
}

/// A package of a pylock.toml. Where it may come from several archives, which one was taken is not
/// said here: then it has no digest.
fn wheel(package: &Value) -> Option<Dependency> {
    let name = package.get("name")?.as_str()?;
    let version = package.get("version").and_then(Value::as_str);
    let wheels = package.get("wheels").and_then(Value::as_array);
    let archive = match wheels.map(Vec::as_slice) {
        Some([one]) => Some(one),
        Some(_) => None,
        None => package.get("sdist"),
    };
    let hash = archive.and_then(|archive| archive.get("hashes")?.get("sha256")?.as_str());
    Some(Dependency {
        uri: Purl::pypi(name, version.unwrap_or_default()).to_string(),
        name: name.to_owned(),
        digest: hash.map(|hash| sha256(hash.to_owned())).unwrap_or_default(),
    })
}

fn archives(pin: &[u8]) -> Vec<Dependency> {
    let archive = |(name, version, integrity): (String, String, String)| Dependency {
        uri: Purl::npm(&name, &version).to_string(),
        digest: sha512(&integrity).unwrap_or_default(),
        name,
    };
    node_packages(pin).into_iter().map(archive).collect()
}

fn sha256(hex: String) -> BTreeMap<String, String> {
    [("sha256".to_owned(), hex)].into()
}

/// A hash as npm writes it: `sha512-` and Base64.
fn sha512(integrity: &str) -> Option<BTreeMap<String, String>> {
    let hash = BASE64_STANDARD
        .decode(integrity.strip_prefix("sha512-")?)
        .ok()?;
    let hex = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Some([("sha512".to_owned(), hex)].into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(pins: &[(&str, &str)]) -> Vec<String> {
        let pins = pins
            .iter()
            .map(|(name, pin)| ((*name).to_owned(), pin.as_bytes().to_vec()));
        let told = |one: &Dependency| format!("{} {:?}", one.uri, one.digest);
        of(&pins.collect()).iter().map(told).collect()
    }

    #[test]
    fn each_pin_names_its_packages_with_their_digests() {
        let hash = "ab".repeat(32);
        let deb = format!(
            r#"{{"format":1,"suite":"trixie","wanted":[],"packages":[{{"package":"libc6",
            "version":"2.41-12","architecture":"amd64","archive":"main","file":"pool/libc6.deb",
            "sha256":"sha256:{hash}","size_bytes":7}}]}}"#
        );
        let python = "# mayfly: 3.13 sha256:".to_owned()
            + &hash
            + "\n[[packages]]\nname = \"flask\"\nversion = \"3.0\"\n"
            + "wheels = [{ hashes = { sha256 = \"cd\" } }]\n"
            + "[[packages]]\nname = \"numpy\"\nversion = \"2.0\"\n"
            + "wheels = [{ hashes = { sha256 = \"01\" } }, { hashes = { sha256 = \"02\" } }]\n";
        let node = format!(
            "// mayfly: sha256:{hash}\n{{\n  \"packages\": {{\n    \"@a/b\": [\"@a/b@1.0.0\", \"\", {{}}, \"sha512-AQI=\"],\n  }}\n}}\n"
        );
        let all = told(&[
            ("base.python", &deb),
            ("node.lock:web", &node),
            ("python.lock", &python),
            ("something.else", "x"),
        ]);
        assert_eq!(
            all,
            [
                format!(r#"pkg:deb/debian/libc6@2.41-12?arch=amd64 {{"sha256": "{hash}"}}"#),
                r#"pkg:npm/%40a/b@1.0.0 {"sha512": "0102"}"#.to_owned(),
                r#"pkg:pypi/flask@3.0 {"sha256": "cd"}"#.to_owned(),
                "pkg:pypi/numpy@2.0 {}".to_owned(),
            ]
        );
    }

    #[test]
    fn a_pin_that_cannot_be_read_names_nothing() {
        for name in ["base.python", "python.lock", "node.lock"] {
            assert!(told(&[(name, "\u{0}")]).is_empty(), "{name}");
        }
    }
}

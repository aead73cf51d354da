//! What an installed package's `package.json` says.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::licence;
use crate::text::{cut, shown};

/// What an inventory takes from a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) licence: Option<String>,
    pub(crate) author: Option<String>,
    pub(crate) homepage: Option<String>,
    /// Names of packages, optional ones and peers too: an edge needs them to be there.
    pub(crate) needs: BTreeSet<String>,
}

/// Fields of any type: packages put anything in them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(default)]
    name: Value,
    #[serde(default)]
    version: Value,
    #[serde(default)]
    license: Value,
    #[serde(default)]
    licenses: Value,
    #[serde(default)]
    author: Value,
    #[serde(default)]
    homepage: Value,
    #[serde(default)]
    dependencies: Value,
    #[serde(default)]
    optional_dependencies: Value,
    #[serde(default)]
    peer_dependencies: Value,
}

/// Dependencies that one package may have.
const MOST: usize = 5_000;

/// Reads a manifest. `Ok(None)` is one without name or version: it only configures its folder.
pub(crate) fn manifest(bytes: &[u8]) -> Result<Option<Manifest>, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let fields: Fields = serde_json::from_slice(bytes).map_err(|cause| cause.to_string())?;
    let (Value::String(name), Value::String(version)) = (&fields.name, &fields.version) else {
        return Ok(None);
    };
    let tables = [
        &fields.dependencies,
        &fields.optional_dependencies,
        &fields.peer_dependencies,
    ];
    let needs = tables.into_iter().filter_map(Value::as_object);
    let needs = needs.flat_map(|table| table.keys()).take(MOST);
    Ok(Some(Manifest {
        name: name.clone(),
        // npm itself reads `v1.2.3` and `=1.2.3` as 1.2.3.
        version: version.trim().trim_start_matches(['v', '=']).to_owned(),
        licence: licence_of(&fields.license, &fields.licenses),
        author: author(&fields.author),
        homepage: fields.homepage.as_str().map(|url| shown(cut(url, 200))),
        needs: needs.filter(|name| is_name(name)).cloned().collect(),
    }))
}

/// A string, an object with a type, or the old list of them, of which one may be chosen.
fn licence_of(one: &Value, several: &Value) -> Option<String> {
    let read = |value: &Value| {
        let text = value.as_str().or_else(|| value.get("type")?.as_str());
        text.and_then(licence::expression)
    };
    if let Some(expression) = read(one) {
        return Some(expression);
    }
    let list = [several, one].into_iter().find_map(Value::as_array)?;
    let all: Option<Vec<String>> = list.iter().take(50).map(read).collect();
    licence::any_of(all?.iter().map(String::as_str))
}

fn author(value: &Value) -> Option<String> {
    let name = value.as_str().or_else(|| value.get("name")?.as_str())?;
    let name = name.trim();
    (!name.is_empty()).then(|| shown(cut(name, 200)))
}

/// Source: npm, "package.json, name". Capital letters and `~` are in old ones.
pub(crate) fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~!*'()".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(fits)
    };
    name.len() <= 214
        && match name.strip_prefix('@').map(|rest| rest.split_once('/')) {
            Some(Some((scope, name))) => part(scope) && part(name),
            Some(None) => false,
            None => part(name),
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_read_in_all_shapes_that_packages_write() {
        for (json, licence) in [
            (r#""license": "MIT""#, Some("MIT")),
            (r#""license": {"type": "ISC", "url": "x"}"#, Some("ISC")),
            (
                r#""licenses": [{"type": "MIT"}, {"type": "Apache-2.0"}]"#,
                Some("MIT OR Apache-2.0"),
            ),
            (r#""licenses": [{"type": "MIT"}, {"type": "mine"}]"#, None),
            (r#""license": "SEE LICENSE IN x""#, None),
            (r#""license": 7"#, None),
        ] {
            let text = format!("{{\"name\": \"a\", \"version\": \"v1.0.0\", {json}}}");
            let read = manifest(text.as_bytes()).expect("JSON").expect("a package");
            assert_eq!(
                (read.licence.as_deref(), read.version.as_str()),
                (licence, "1.0.0")
            );
        }
    }

    #[test]
    fn what_is_no_package_is_told_apart_from_damage() {
        assert_eq!(manifest(br#"{"type": "module"}"#), Ok(None));
        assert_eq!(manifest(br#"{"name": ["a"], "version": "1"}"#), Ok(None));
        for damage in [&b""[..], b"[", b"\xff\xfe", &b"[".repeat(100_000), b"7"] {
            assert!(manifest(damage).is_err());
        }
        for (name, fits) in [
            ("@babel/core", true),
            ("JSONStream", true),
            ("a/b", false),
            ("@a", false),
            ("../x", false),
            ("a\u{1b}", false),
            ("", false),
        ] {
            assert_eq!(is_name(name), fits, "{name:?}");
        }
    }
}

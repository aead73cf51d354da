//! The name of an image's distribution.
//!
//! Source: os-release(5).

use crate::text::cut;
use model::inventory::Distribution;

/// Reads an os-release file; none without an `ID`.
pub(crate) fn os_release(text: &str) -> Option<Distribution> {
    let of = |key: &str| {
        let mut values = text.lines().filter_map(|line| {
            let (name, value) = line.trim().split_once('=')?;
            (name == key).then(|| unquoted(value))
        });
        // The last assignment counts, as in a shell.
        values.next_back().filter(|value| !value.is_empty())
    };
    let id = of("ID")?.to_ascii_lowercase();
    let clean = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (id.len() <= 64 && id.bytes().all(clean)).then(|| Distribution {
        id,
        version_id: of("VERSION_ID").filter(|version| version.bytes().all(clean)),
        codename: of("VERSION_CODENAME").filter(|name| name.bytes().all(clean)),
        name: of("NAME").map(|name| crate::text::shown(cut(&name, 64))),
    })
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = [('"', '"'), ('\'', '\'')]
        .into_iter()
        .find_map(|(open, close)| value.strip_prefix(open)?.strip_suffix(close));
    inner.unwrap_or(value).replace('\\', "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_named_as_its_file_says() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\nVERSION_CODENAME=trixie\nID=debian\n";
        let debian = os_release(text).expect("a distribution");
        assert_eq!(
            (debian.id.as_str(), debian.version_id.as_deref()),
            ("debian", Some("13"))
        );
        assert_eq!(debian.codename.as_deref(), Some("trixie"));
        for bad in ["", "NAME=x", "ID=", "ID=\"a b\"", "ID=a/b"] {
            assert_eq!(os_release(bad), None, "{bad:?}");
        }
    }
}

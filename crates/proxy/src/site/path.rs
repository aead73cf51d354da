//! From a request's path to the files that may be meant.

/// A path beneath a site's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SitePath {
    /// Relative, without empty parts; empty for the folder itself.
    pub(crate) relative: String,
    /// It ended with a slash, or is the folder itself.
    pub(crate) folder: bool,
}

impl SitePath {
    /// Reads the path of a request's target. `None` when no file may be named so: hidden files
    /// (`.git`, `.env`, `..`) except `.well-known` (RFC 8615), encoded slashes, NUL, and what is
    /// not UTF-8.
    pub(crate) fn read(raw: &str) -> Option<Self> {
        let mut relative = String::with_capacity(raw.len());
        for part in raw.split('/').filter(|part| !part.is_empty()) {
            let part = decode(part)?;
            let well_known = relative.is_empty() && part == ".well-known";
            if part.contains(['/', '\0']) || (part.starts_with('.') && !well_known) {
                return None;
            }
            if !relative.is_empty() {
                relative.push('/');
            }
            relative.push_str(&part);
        }
        Some(Self {
            folder: relative.is_empty() || raw.ends_with('/'),
            relative,
        })
    }

    /// Whether its last part has a kind, as files have and pages of an application have not.
    pub(crate) fn has_kind(&self) -> bool {
        let last = self.relative.rsplit('/').next().unwrap_or_default();
        !self.folder && last.contains('.')
    }

    /// Another name beneath this one.
    pub(crate) fn join(&self, name: &str) -> String {
        match self.relative.as_str() {
            "" => name.to_owned(),
            folder => format!("{folder}/{name}"),
        }
    }
}

/// Where a client finds a folder that it asked for without the slash. Leading slashes are one, so
/// that no other host can be meant.
pub(crate) fn with_slash(raw: &str, query: Option<&str>) -> String {
    let path = raw.trim_start_matches('/');
    match query {
        Some(query) => format!("/{path}/?{query}"),
        None => format!("/{path}/"),
    }
}

fn decode(part: &str) -> Option<String> {
    if !part.contains('%') {
        return Some(part.to_owned());
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => (hex(*high)? << 4 | hex(*low)?, tail),
            (b'%', _) => return None,
            (plain, tail) => (*plain, tail),
        };
        bytes.push(byte);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_file_beneath_the_folder_or_nothing() {
        let path = |relative: &str, folder| {
            Some(SitePath {
                relative: relative.to_owned(),
                folder,
            })
        };
        for (raw, read) in [
            ("/", path("", true)),
            ("//", path("", true)),
            ("/a.txt", path("a.txt", false)),
            ("/a//b/", path("a/b", true)),
            ("/a%20b.html", path("a b.html", false)),
            ("/caf%C3%A9", path("café", false)),
            ("/.well-known/x", path(".well-known/x", false)),
            ("/a/.well-known/x", None),
            ("/.git/config", None),
            ("/.env", None),
            ("/../etc/passwd", None),
            ("/a/../../etc/passwd", None),
            ("/%2e%2e/etc/passwd", None),
            ("/a%2f..%2fb", None),
            ("/a%00b", None),
            ("/%", None),
            ("/%zz", None),
            ("/%ff", None),
        ] {
            assert_eq!(SitePath::read(raw), read, "{raw}");
        }
    }

    #[test]
    fn a_redirect_to_a_folder_stays_on_this_host() {
        for (raw, query, location) in [
            ("/docs", None, "/docs/"),
            ("/docs", Some("a=1"), "/docs/?a=1"),
            ("//evil.example", None, "/evil.example/"),
        ] {
            assert_eq!(with_slash(raw, query), location);
        }
    }
}

//! In which form a file is sent: its type, its compression, and how long it may be kept.

use crate::assets;

/// A compressed file beside the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `<name>.br`
    Brotli,
    /// `<name>.gz`
    Gzip,
}

impl Encoding {
    /// Best first.
    pub(crate) const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    /// What the file's name ends with.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
        }
    }

    /// Its name in headers (RFC 9110, 8.4.1).
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// Whether an `Accept-Encoding` header names it without refusing it. A bare `*` does not count:
    /// who writes it cannot be relied on to know Brotli.
    pub(crate) fn is_accepted(self, header: &str) -> bool {
        header.split(',').any(|item| {
            let (name, weight) = item.split_once(';').unwrap_or((item, ""));
            let weight = weight.trim().strip_prefix("q=").map(str::trim);
            let refused = weight.is_some_and(|q| q.trim_matches(['0', '.']).is_empty());
            name.trim().eq_ignore_ascii_case(self.token()) && !refused
        })
    }
}

/// The type of a file by its name, text as UTF-8.
pub(crate) fn content_type(name: &str) -> String {
    let guess = mime_guess::from_path(name).first_raw();
    let kind = guess.unwrap_or("application/octet-stream");
    let text = kind.starts_with("text/")
        || matches!(
            kind,
            "application/javascript"
                | "application/json"
                | "application/xml"
                | "application/manifest+json"
                | "image/svg+xml"
        );
    match text {
        true => format!("{kind}; charset=utf-8"),
        false => kind.to_owned(),
    }
}

/// How long a file may be kept without asking. Files whose name changes with their content are
/// kept for a year; all others are asked for again, and answered 304 while they are the same.
pub(crate) fn cache_control(name: &str) -> &'static str {
    match assets::is_immutable(name) {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compressed_form_is_sent_only_to_those_who_name_it() {
        for (header, brotli, gzip) in [
            ("gzip, deflate, br, zstd", true, true),
            ("gzip;q=0.5", false, true),
            ("GZIP", false, true),
            ("br;q=0, gzip;q=0.0", false, false),
            ("br; q=0", false, false),
            ("*", false, false),
            ("identity", false, false),
            ("", false, false),
        ] {
            assert_eq!(Encoding::Brotli.is_accepted(header), brotli, "{header}");
            assert_eq!(Encoding::Gzip.is_accepted(header), gzip, "{header}");
        }
    }

    #[test]
    fn a_file_has_the_type_that_browsers_expect() {
        for (name, kind) in [
            ("index.html", "text/html; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("app.mjs", "application/javascript; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("data.json", "application/json; charset=utf-8"),
            ("logo.svg", "image/svg+xml; charset=utf-8"),
            ("app.wasm", "application/wasm"),
            ("photo.jpeg", "image/jpeg"),
            ("font.woff2", "font/woff2"),
            (
                "site.webmanifest",
                "application/manifest+json; charset=utf-8",
            ),
            ("LICENSE", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), kind, "{name}");
        }
    }
}

//! What a file is, by its name.

use crate::javascript::Dialect;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Python.
    Python,
    /// JavaScript and its family.
    Script(Dialect),
    /// HTML, Jinja, EJS, Handlebars.
    Template,
    /// Vue and Svelte: a script and a template in one file.
    Component,
    /// A text that may hold secrets and settings.
    Text,
    /// Nothing to read: images, fonts, archives, databases, lock files.
    Opaque,
}

const OPAQUE: [&str; 46] = [
    "png", "jpg", "jpeg", "gif", "webp", "ico", "bmp", "avif", "svgz", "woff", "woff2", "ttf",
    "otf", "eot", "mp3", "mp4", "webm", "ogg", "wav", "mov", "avi", "zip", "gz", "tgz", "bz2",
    "xz", "7z", "rar", "tar", "whl", "jar", "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx",
    "db", "sqlite", "sqlite3", "pyc", "so", "wasm", "onnx", "parquet",
];

/// Files of digests and addresses: no secrets, and a million lines.
const LOCKS: [&str; 9] = [
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "Pipfile.lock",
    "uv.lock",
    "bun.lock",
    "Cargo.lock",
];

impl Language {
    /// What a file is, by its path.
    pub(crate) fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        if LOCKS.contains(&name) {
            return Self::Opaque;
        }
        let extension = name
            .rsplit_once('.')
            .map(|(_, extension)| extension.to_ascii_lowercase());
        match extension.as_deref().unwrap_or_default() {
            "py" | "pyw" => Self::Python,
            "js" | "mjs" | "cjs" | "jsx" => Self::Script(Dialect::JavaScript),
            "ts" | "mts" | "cts" => Self::Script(Dialect::TypeScript),
            "tsx" => Self::Script(Dialect::Tsx),
            "html" | "htm" | "ejs" | "hbs" | "handlebars" | "mustache" | "jinja" | "jinja2"
            | "j2" | "njk" | "xhtml" => Self::Template,
            "vue" | "svelte" => Self::Component,
            other if OPAQUE.contains(&other) => Self::Opaque,
            _ => Self::Text,
        }
    }
}

/// Whether a file explains rather than runs.
pub(crate) fn is_documentation(path: &str) -> bool {
    let is_text = [".md", ".rst", ".adoc"]
        .iter()
        .any(|end| path.ends_with(end));
    let mut folders = path.split('/').rev().skip(1);
    is_text || folders.any(|folder| words(folder).any(|word| matches!(word, "docs" | "doc")))
}

/// The words of a path.
pub(crate) fn words(path: &str) -> impl Iterator<Item = &str> {
    path.split(|letter: char| !letter.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_explains_is_known_by_whole_words() {
        for (path, expected) in [
            ("docs_src/app.py", true),
            ("README.md", true),
            ("doctor/app.py", false),
            ("src/docs.py", false),
        ] {
            assert_eq!(is_documentation(path), expected, "{path}");
        }
    }

    #[test]
    fn a_file_is_what_its_name_says() {
        for (path, language) in [
            ("app.py", Language::Python),
            ("src/a.mjs", Language::Script(Dialect::JavaScript)),
            ("a/B.TSX", Language::Script(Dialect::Tsx)),
            ("views/x.ejs", Language::Template),
            ("App.vue", Language::Component),
            ("logo.PNG", Language::Opaque),
            ("package-lock.json", Language::Opaque),
            ("Dockerfile", Language::Text),
            (".env", Language::Text),
        ] {
            assert_eq!(Language::of(path), language, "{path}");
        }
    }
}

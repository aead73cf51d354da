//! Which paths look like the hashed assets of a front end's build.
//!
//! Bundlers put a part of the content's hash into a file's name: `index-DfG7hJ2k.js` (Vite,
//! Rollup), `main.3f2a9c1b.js` (webpack), `chunk-2ZKL5FGH.js` (esbuild).

/// Kinds of files that bundlers write.
const ASSET_KINDS: [&str; 22] = [
    "js", "mjs", "css", "map", "json", "wasm", "woff", "woff2", "ttf", "otf", "eot", "svg", "png",
    "jpg", "jpeg", "gif", "webp", "avif", "ico", "mp4", "webm", "mp3",
];
/// Kinds whose names are hardly ever written by hand with capitals and digits only.
const CODE_KINDS: [&str; 6] = ["js", "mjs", "css", "map", "wasm", "woff2"];
/// Folders that bundlers fill.
const ASSET_FOLDERS: [&str; 6] = [
    "/assets/",
    "/static/",
    "/_next/static/",
    "/_app/immutable/",
    "/_astro/",
    "/_nuxt/",
];

/// Whether an earlier release may be asked for this path when the current one does not have it.
/// Generous: the earlier release answers only if it has the file.
pub(crate) fn may_be_asset(path: &str) -> bool {
    let Some((stem, kind)) = stem_and_kind(path) else {
        return false;
    };
    let in_folder = ASSET_FOLDERS.iter().any(|folder| path.starts_with(folder));
    ASSET_KINDS.contains(&kind) && (in_folder || parts(stem).any(|part| hash_like(part, 6)))
}

/// Whether the content behind this path can never change. Strict: a wrong yes shows an old file
/// for a year, a wrong no costs one 304.
pub(crate) fn is_immutable(path: &str) -> bool {
    let Some((stem, kind)) = stem_and_kind(path) else {
        return false;
    };
    let hashed =
        |part: &str| is_hex_hash(part) || is_base64_hash(part) || is_base32_hash(part, kind);
    ASSET_KINDS.contains(&kind) && last_parts(stem).any(hashed)
}

fn stem_and_kind(path: &str) -> Option<(&str, &str)> {
    let name = path.rsplit('/').next()?;
    let (stem, kind) = name.rsplit_once('.')?;
    (!stem.is_empty()).then_some((stem, kind))
}

fn parts(stem: &str) -> impl Iterator<Item = &str> {
    stem.split(['.', '-', '_']).skip(1).chain([stem])
}

/// What may be the hash: after the last dot, or after one of the dashes, whose hash may itself
/// hold dashes (base64url).
fn last_parts(stem: &str) -> impl Iterator<Item = &str> {
    let after_dot = stem.rsplit_once('.').map(|(_, part)| part);
    let dashes = stem.match_indices('-').map(|(at, _)| &stem[at + 1..]);
    after_dot.into_iter().chain(dashes)
}

fn hash_like(part: &str, least: usize) -> bool {
    let letters = part.bytes().all(|b| b.is_ascii_alphanumeric());
    letters
        && part.len() >= least
        && has_digit(part)
        && part.bytes().any(|b| b.is_ascii_alphabetic())
}

fn has_digit(part: &str) -> bool {
    part.bytes().any(|b| b.is_ascii_digit())
}

fn is_hex_hash(part: &str) -> bool {
    let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    part.len() >= 8 && part.bytes().all(hex) && hash_like(part, 8)
}

fn is_base64_hash(part: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let lower = part.bytes().any(|b| b.is_ascii_lowercase());
    let upper = part.bytes().skip(1).any(|b| b.is_ascii_uppercase());
    part.len() == 8 && part.bytes().all(known) && lower && upper && has_digit(part)
}

fn is_base32_hash(part: &str, kind: &str) -> bool {
    let known = |b: u8| matches!(b, b'A'..=b'Z' | b'2'..=b'7');
    part.len() == 8 && part.bytes().all(known) && has_digit(part) && CODE_KINDS.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_hash_are_assets_and_only_sure_ones_are_immutable() {
        for (path, asset, immutable) in [
            ("/assets/index-DfG7hJ2k.js", true, true),
            ("/assets/index-D-G7hJ2k.css", true, true),
            ("/main.3f2a9c1b.js", true, true),
            ("/static/js/main.3f2a9c1b.chunk.js", true, false),
            ("/chunk-2ZKL5FGH.js", true, true),
            ("/img/photo-REPORT24.png", true, false),
            (
                "/media/logo.5d5d9eefa31e5e13a6610d9fa7a283bb.svg",
                true,
                true,
            ),
            ("/main.3f2a9c.js", true, false),
            ("/assets/logo.png", true, false),
            ("/_next/static/chunks/app.js", true, false),
            ("/style-default.css", false, false),
            ("/jquery-3.7.1.min.js", false, false),
            ("/photo-20240131.jpg", false, false),
            ("/report-2024final.pdf", false, false),
            ("/report-2024final.png", true, false),
            ("/index.html", false, false),
            ("/", false, false),
            ("/api/items/3f2a9c1b", false, false),
            ("/.js", false, false),
        ] {
            let got = (may_be_asset(path), is_immutable(path));
            assert_eq!(got, (asset, immutable), "{path}");
        }
    }
}

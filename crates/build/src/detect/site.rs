//! Static sites: where their files are, and which pages have a part of their own.

use crate::detect::folder::Folder;
use crate::detect::weigh::{Signal, signal};
use crate::recipe::Pages;

/// Folders that finished sites lie in, the app's own first.
const PLACES: [&str; 9] = [
    "", "dist", "build", "public", "out", "docs", "site", "www", "static",
];

/// A static site.
#[derive(Debug, Clone)]
pub(super) struct Look {
    /// Where its files lie, relative to the folder; empty for the folder itself.
    pub(super) place: String,
    /// Its pages.
    pub(super) pages: Pages,
    /// What speaks for it.
    pub(super) signals: Vec<Signal>,
}

/// Looks for a site.
pub(super) fn look(folder: &Folder) -> Option<Look> {
    let inside = |place: &str| match place {
        "" => folder.clone(),
        place => folder.inside(place),
    };
    let with_index = PLACES.iter().find(|place| inside(place).has("index.html"));
    let with_page = PLACES
        .iter()
        .find(|place| inside(place).top_files().any(is_page));
    let place = with_index.or(with_page)?;
    let site = inside(place);
    let weight = match (with_index.is_some(), place.is_empty()) {
        (true, true) => 25,
        (true, false) => 22,
        (false, _) => 18,
    };
    let page = if with_index.is_some() {
        "index.html".to_owned()
    } else {
        site.top_files().find(|path| is_page(path))?.to_owned()
    };
    let pages = pages(site.files());
    let mut signals = vec![signal(&site, &page, weight, "is a page")];
    if pages.fallback.is_some() {
        let says = "is the only page: it answers for paths without a file, too";
        signals.push(signal(&site, &page, 0, says));
    }
    Some(Look {
        place: (*place).to_owned(),
        pages,
        signals,
    })
}

/// Looks for a site in the folder that mayfly.toml names.
pub(super) fn at(folder: &Folder, place: &str) -> Look {
    let site = folder.inside(place);
    Look {
        place: place.to_owned(),
        pages: pages(site.files()),
        signals: vec![],
    }
}

/// The pages of a site with a part of their own, by the paths of its files.
///
/// A site of one page is taken for a single-page application: the page answers for all paths
/// without a file. An own 404.html says that it is none.
pub fn pages<'p>(files: impl Iterator<Item = &'p str>) -> Pages {
    let all: Vec<&str> = files.filter(|path| is_page(path)).collect();
    let error_page = |path: &str| path == "404.html" || path == "50x.html";
    let entries: Vec<&str> = all
        .iter()
        .copied()
        .filter(|path| !error_page(path))
        .collect();
    let index = if entries.contains(&"index.html") {
        None
    } else {
        first_page(&entries)
    };
    let fallback = match entries.as_slice() {
        [only] if !all.contains(&"404.html") => Some((*only).to_owned()),
        // What static hosts know single-page applications by.
        _ if all.contains(&"200.html") => Some("200.html".to_owned()),
        _ => None,
    };
    Pages { index, fallback }
}

/// The page for `/` when none is called index.html.
fn first_page(entries: &[&str]) -> Option<String> {
    let top: Vec<&str> = entries
        .iter()
        .copied()
        .filter(|path| !path.contains('/'))
        .collect();
    let usual = [
        "index.htm",
        "home.html",
        "main.html",
        "app.html",
        "start.html",
    ];
    let named = usual.into_iter().find(|name| top.contains(name));
    let only = || match top.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    named.or_else(only).map(str::to_owned)
}

fn is_page(path: &str) -> bool {
    path.ends_with(".html") || path.ends_with(".htm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_get_their_parts_by_name_and_number() {
        for (files, index, fallback) in [
            (vec!["index.html", "a.js"], None, Some("index.html")),
            (vec!["tip.html"], Some("tip.html"), Some("tip.html")),
            (vec!["index.html", "rsvp.html"], None, None),
            (vec!["index.html", "404.html"], None, None),
            (vec!["a.html", "b.html"], None, None),
            (vec!["home.html", "b.html"], Some("home.html"), None),
            (vec!["200.html", "index.html"], None, Some("200.html")),
            (vec!["a.js"], None, None),
        ] {
            let pages = pages(files.iter().copied());
            assert_eq!(pages.index.as_deref(), index, "{files:?}");
            assert_eq!(pages.fallback.as_deref(), fallback, "{files:?}");
        }
    }
}

//! Validators over releases, and assets that only the previous release has.

use std::net::SocketAddr;

use ports::Traffic;
use ports::traffic::Ending;

use crate::bench::*;

/// A server as frameworks are: its ETag is made from mtime and size, which an edit of the same
/// length keeps.
fn by_size(text: &'static str) -> SocketAddr {
    serve_with(move |asked, stream| {
        let tag = format!("\"0-{}\"", text.len());
        let date = "Thu, 01 Jan 1970 00:00:00 GMT";
        let headers = format!("etag: {tag}\r\nlast-modified: {date}\r\n");
        let known = asked
            .header("if-none-match")
            .is_some_and(|tags| tags.contains(&tag))
            || asked.header("if-modified-since").is_some();
        match known {
            true => reply(stream, "304 Not Modified", &headers, ""),
            false => reply(stream, "200 OK", &headers, text),
        }
    })
}

#[tokio::test]
async fn an_edit_of_the_same_length_never_answers_a_stale_304() {
    let bench = Bench::start();
    let (one, two) = (by_size("red"), by_size("tan"));
    let port = bench.serve(server(1, one)).await;
    let first = bench.get("/");
    assert_eq!(first.header("last-modified"), None);
    let tag = first.header("etag").expect("a tag").to_owned();
    let known = format!("if-none-match: {tag}\r\n");
    let dated = "if-modified-since: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    let again = bench.get_with("/", &known);
    assert_eq!(again.status, 304, "the same release knows its own tag");
    assert_eq!(again.header("etag"), Some(tag.as_str()));

    bench
        .edge
        .set(route(port, vec![(100, server(2, two))]))
        .await
        .expect("a route");
    for headers in [known.clone(), dated.to_owned(), format!("{known}{dated}")] {
        let new = bench.get_with("/", &headers);
        assert_eq!((new.status, new.text().as_str()), (200, "tan"), "{headers}");
    }
}

/// A server with one asset; for all else it has its own 404.
fn has(asset: &'static str, text: &'static str) -> SocketAddr {
    serve_with(move |asked, stream| match asked.path() == asset {
        true => reply(stream, "200 OK", "", text),
        false => reply(stream, "404 Not Found", "", "not here"),
    })
}

#[tokio::test]
async fn hashed_assets_of_the_previous_release_are_still_found() {
    let bench = Bench::start();
    let (old, new) = ("/assets/index-DfG7hJ2k.js", "/assets/index-Xq81bZ0s.js");
    let port = bench.edge.free_port().await.expect("a port");
    let mut both = route(port, vec![(100, server(2, has(new, "new")))]);
    both.assets_of = Some(server(1, has(old, "old")));
    bench.edge.set(both).await.expect("a route");
    for (path, status, text) in [
        (new, 200, "new"),
        (old, 200, "old"),
        ("/assets/index-AAAA1111.js", 404, "not here"),
        ("/page", 404, "not here"),
    ] {
        let answer = bench.get(path);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (status, text),
            "{path}"
        );
    }
    let seen = bench.observed(4).await;
    let releases: Vec<u32> = seen
        .iter()
        .map(|(release, ..)| release.number.get())
        .collect();
    assert_eq!(releases, [2, 1, 2, 2], "who answered is who is observed");
    assert!(seen.iter().all(|(.., ending)| *ending == Ending::Complete));
}

//! Static sites.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use model::serving::Site;
use ports::Traffic;
use ports::traffic::Target;

use crate::bench::*;

fn files(root: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn with_pages(mut target: Target, index: Option<&str>, fallback: Option<&str>) -> Target {
    let files = target.site.as_mut().expect("a site");
    files.site = Site {
        root: "site".into(),
        index: index.map(Into::into),
        fallback: fallback.map(Into::into),
    };
    target
}

#[tokio::test]
async fn a_path_leads_to_its_file() {
    let (bench, root) = (Bench::start(), folder());
    files(
        root.path(),
        &[
            ("index.html", "home"),
            ("about.html", "about"),
            ("docs/index.html", "docs"),
            ("a b.txt", "space"),
            ("style.css", "css"),
            ("LICENSE", "free"),
            (".well-known/x.txt", "known"),
        ],
    );
    bench.serve(site(1, root.path())).await;
    for (path, text, kind) in [
        ("/", "home", "text/html; charset=utf-8"),
        ("/index.html", "home", "text/html; charset=utf-8"),
        ("/about", "about", "text/html; charset=utf-8"),
        ("/docs/", "docs", "text/html; charset=utf-8"),
        ("/a%20b.txt?q=1", "space", "text/plain; charset=utf-8"),
        ("//style.css", "css", "text/css; charset=utf-8"),
        ("/LICENSE", "free", "application/octet-stream"),
        ("/.well-known/x.txt", "known", "text/plain; charset=utf-8"),
    ] {
        let answer = bench.get(path);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, text),
            "{path}"
        );
        assert_eq!(answer.header("content-type"), Some(kind), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
        assert_eq!(answer.header("last-modified"), None);
    }
    let redirect = bench.get("/docs?a=1");
    assert_eq!(redirect.status, 301);
    assert_eq!(redirect.header("location"), Some("/docs/?a=1"));
    let post = bench.send("POST / HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(
        (post.status, post.header("allow")),
        (405, Some("GET, HEAD"))
    );
}

#[tokio::test]
async fn nothing_outside_the_folder_and_nothing_hidden_is_served() {
    let (bench, outer) = (Bench::start(), folder());
    let root = outer.path().join("site");
    files(outer.path(), &[("secret.txt", "secret")]);
    files(
        &root,
        &[
            (".git/config", "secret"),
            (".env", "secret"),
            ("a/ok.txt", "fine"),
        ],
    );
    symlink(outer.path().join("secret.txt"), root.join("absolute.txt")).expect("a link");
    symlink("../secret.txt", root.join("relative.txt")).expect("a link");
    symlink("..", root.join("up")).expect("a link");
    symlink("/proc/self/environ", root.join("environ.txt")).expect("a link");
    symlink("a/ok.txt", root.join("inside.txt")).expect("a link");
    symlink("loop.txt", root.join("loop.txt")).expect("a link");
    let fifo = std::ffi::CString::new(root.join("fifo.txt").into_os_string().into_encoded_bytes());
    nix::unistd::mkfifo(
        fifo.expect("no NUL").as_c_str(),
        nix::sys::stat::Mode::S_IRWXU,
    )
    .expect("a fifo");
    bench.serve(site(1, &root)).await;
    for path in [
        "/../secret.txt",
        "/a/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/absolute.txt",
        "/relative.txt",
        "/up/secret.txt",
        "/environ.txt",
        "/loop.txt",
        "/fifo.txt",
        "/.git/config",
        "/.env",
        "/%2egit/config",
        "/a/ok.txt/more",
        "/a",
        "/a/",
        "/a%00.txt",
        "/a/ok.txt/",
    ] {
        let answer = bench.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text().contains("secret"), "{path}");
    }
    // The same folder, asked for what may be read, links inside it included.
    assert_eq!(bench.get("/a/ok.txt").text(), "fine");
    assert_eq!(bench.get("/inside.txt").text(), "fine");
}

#[tokio::test]
async fn a_file_that_did_not_change_is_not_sent_again_over_releases_too() {
    let (bench, one, two) = (Bench::start(), folder(), folder());
    files(one.path(), &[("same.txt", "same"), ("edited.txt", "red")]);
    files(two.path(), &[("same.txt", "same"), ("edited.txt", "tan")]);
    let port = bench.serve(site(1, one.path())).await;
    let tag = |path| bench.get(path).header("etag").expect("a tag").to_owned();
    let tags = (tag("/same.txt"), tag("/edited.txt"));
    let known = |path, tag: &str| bench.get_with(path, &format!("if-none-match: {tag}\r\n"));
    let again = known("/edited.txt", &tags.1);
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), Some(tags.1.as_str()));
    assert_eq!(
        known("/edited.txt", &format!("\"x\", W/{}", tags.1)).status,
        304
    );
    assert_eq!(known("/edited.txt", "*").status, 304);
    let new = route(port, vec![(100, site(2, two.path()))]);
    bench.edge.set(new).await.expect("a route");
    assert_eq!(known("/same.txt", &tags.0).status, 304);
    let edited = known("/edited.txt", &tags.1);
    assert_eq!((edited.status, edited.text().as_str()), (200, "tan"));
}

#[tokio::test]
async fn parts_of_a_file_are_sent_to_those_who_ask() {
    let (bench, root) = (Bench::start(), folder());
    let large: String = ('a'..='z').cycle().take(700_000).collect();
    files(
        root.path(),
        &[("small.txt", "0123456789"), ("large.txt", &large)],
    );
    bench.serve(site(1, root.path())).await;
    let tag = bench
        .get("/small.txt")
        .header("etag")
        .expect("a tag")
        .to_owned();
    for (headers, status, text, range) in [
        (
            "range: bytes=2-4\r\n".to_owned(),
            206,
            "234",
            Some("bytes 2-4/10"),
        ),
        (
            "range: bytes=-2\r\n".to_owned(),
            206,
            "89",
            Some("bytes 8-9/10"),
        ),
        (
            "range: bytes=20-\r\n".to_owned(),
            416,
            "",
            Some("bytes */10"),
        ),
        (
            "range: bytes=0-1,3-4\r\n".to_owned(),
            200,
            "0123456789",
            None,
        ),
        (
            format!("range: bytes=0-1\r\nif-range: {tag}\r\n"),
            206,
            "01",
            Some("bytes 0-1/10"),
        ),
        (
            "range: bytes=0-1\r\nif-range: \"x\"\r\n".to_owned(),
            200,
            "0123456789",
            None,
        ),
    ] {
        let answer = bench.get_with("/small.txt", &headers);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (status, text),
            "{headers}"
        );
        assert_eq!(answer.header("content-range"), range, "{headers}");
    }
    let whole = bench.get("/large.txt");
    assert!(whole.whole && whole.text() == large);
    let part = bench.get_with("/large.txt", "range: bytes=100000-599999\r\n");
    assert!(part.whole && part.text() == large[100_000..600_000]);
    let head = bench.send("HEAD /large.txt HTTP/1.1\r\nhost: shop.localhost\r\n\r\n");
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("700000"))
    );
}

#[tokio::test]
async fn compressed_files_are_sent_to_those_who_can_read_them() {
    let (bench, root) = (Bench::start(), folder());
    let beside = [
        ("app.js", "plain"),
        ("app.js.br", "brotli"),
        ("app.js.gz", "gzip"),
    ];
    files(root.path(), &beside);
    files(root.path(), &[("alone.js", "alone")]);
    bench.serve(site(1, root.path())).await;
    let mut tags = Vec::new();
    for (accept, text, encoding) in [
        ("accept-encoding: gzip, br\r\n", "brotli", Some("br")),
        ("accept-encoding: gzip\r\n", "gzip", Some("gzip")),
        (
            "accept-encoding: gzip\r\nrange: bytes=0-\r\n",
            "plain",
            None,
        ),
        ("", "plain", None),
    ] {
        let answer = bench.get_with("/app.js", accept);
        assert_eq!(answer.text(), text, "{accept}");
        assert_eq!(answer.header("content-encoding"), encoding, "{accept}");
        assert_eq!(
            answer.header("content-type"),
            Some("text/javascript; charset=utf-8")
        );
        assert_eq!(answer.header("vary"), Some("accept-encoding"), "{accept}");
        tags.push(answer.header("etag").expect("a tag").to_owned());
    }
    tags.dedup();
    assert_eq!(tags.len(), 3, "each form has its own tag");
    assert_eq!(bench.get("/alone.js").header("vary"), None);
}

#[tokio::test]
async fn hashed_assets_are_kept_for_a_year_and_found_in_the_release_before() {
    let (bench, one, two) = (Bench::start(), folder(), folder());
    files(
        one.path(),
        &[("assets/index-DfG7hJ2k.js", "old"), ("page.html", "old")],
    );
    files(
        two.path(),
        &[("assets/index-Xq81bZ0s.js", "new"), ("index.html", "new")],
    );
    let port = bench.edge.free_port().await.expect("a port");
    let current = with_pages(site(2, two.path()), None, Some("index.html"));
    let mut both = route(port, vec![(100, current)]);
    both.assets_of = Some(site(1, one.path()));
    bench.edge.set(both).await.expect("a route");
    for (path, status, text) in [
        ("/assets/index-Xq81bZ0s.js", 200, "new"),
        ("/assets/index-DfG7hJ2k.js", 200, "old"),
    ] {
        let answer = bench.get(path);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (status, text),
            "{path}"
        );
        let kept = answer.header("cache-control").expect("it says how long");
        assert!(kept.contains("immutable"), "{kept}");
    }
    assert_eq!(bench.get("/assets/index-AAAA1111.js").status, 404);
    assert_eq!(
        bench.get("/page").status,
        404,
        "pages come from the current release only"
    );
}

#[tokio::test]
async fn a_single_page_application_gets_its_page_for_navigations_only() {
    let (bench, root) = (Bench::start(), folder());
    files(root.path(), &[("tool.html", "tool"), ("404.html", "lost")]);
    let target = with_pages(site(1, root.path()), Some("tool.html"), Some("tool.html"));
    let port = bench.serve(target).await;
    let html = "accept: text/html,*/*\r\n";
    for (path, headers, status, text) in [
        ("/", "", 200, "tool"),
        ("/settings/me", html, 200, "tool"),
        ("/settings/me", "", 404, "lost"),
        ("/missing.js", html, 404, "lost"),
    ] {
        let answer = bench.get_with(path, headers);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (status, text),
            "{path} {headers}"
        );
    }
    let plain = with_pages(site(2, root.path()), None, None);
    bench
        .edge
        .set(route(port, vec![(100, plain)]))
        .await
        .expect("a route");
    assert_eq!(bench.get_with("/", html).status, 404);
}

#[tokio::test]
async fn a_front_end_before_a_back_end_shares_its_origin() {
    let (bench, root) = (Bench::start(), folder());
    files(root.path(), &[("index.html", "page"), ("app.js", "script")]);
    let back_end = serve_with(|asked, stream| match asked.path() {
        "/api/items" => reply(stream, "200 OK", "", &format!("items {}", asked.body.len())),
        "/app.js" => reply(stream, "200 OK", "", "never asked"),
        _ => reply(stream, "404 Not Found", "", "no such thing"),
    });
    let mut both = with_pages(site(1, root.path()), None, Some("index.html"));
    both.upstream = server(1, back_end).upstream;
    bench.serve(both.clone()).await;
    let html = "accept: text/html\r\n";
    for (path, headers, status, text) in [
        ("/", html, 200, "page"),
        ("/app.js", "", 200, "script"),
        ("/api/items", "", 200, "items 0"),
        ("/settings", html, 200, "page"),
        ("/settings", "", 404, "no such thing"),
        ("/missing.css", html, 404, "no such thing"),
    ] {
        let answer = bench.get_with(path, headers);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (status, text),
            "{path} {headers}"
        );
    }
    let post = "POST /api/items HTTP/1.1\r\nhost: shop.localhost\r\ncontent-length: 2\r\n\r\nhi";
    assert_eq!(bench.send(post).text(), "items 2");
    assert_eq!(
        bench
            .edge
            .probe(&both, "/api/items", PATIENCE)
            .await
            .expect("a status"),
        200
    );
}

#[tokio::test]
async fn a_site_is_probed_and_a_missing_folder_is_refused() {
    let (bench, root) = (Bench::start(), folder());
    files(root.path(), &[("index.html", "home")]);
    let target = site(1, root.path());
    assert_eq!(
        bench
            .edge
            .probe(&target, "/", PATIENCE)
            .await
            .expect("a status"),
        200
    );
    assert_eq!(
        bench
            .edge
            .probe(&target, "/no", PATIENCE)
            .await
            .expect("a status"),
        404
    );
    let port = bench.edge.free_port().await.expect("a port");
    let gone = site(2, &root.path().join("gone"));
    let refused = bench.edge.set(route(port, vec![(100, gone)])).await;
    assert!(matches!(
        refused,
        Err(ports::traffic::TrafficError::Site { .. })
    ));
}

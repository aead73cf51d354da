//! How content gets out, and what there is.

use axum::http::StatusCode;
use model::Digest;
use ports::Ledger;
use serde_json::json;

use crate::front::{Front, IMAGE, NOWHERE, image};

#[tokio::test]
async fn what_was_pushed_is_pulled_byte_for_byte() {
    let front = Front::new().await;
    let digest = front.push_image("team/shop", "v1", b"a layer").await;
    let by_tag = front.ask("GET", "/v2/team/shop/manifests/v1").await;
    assert_eq!(by_tag.is(StatusCode::OK).header("content-type"), IMAGE);
    assert_eq!(Digest::of(&by_tag.body).to_string(), digest);
    let manifest = by_tag.json();
    let layer = manifest["layers"][0]["digest"].as_str().expect("a digest");
    let path = format!("/v2/team/shop/blobs/{layer}");
    assert_eq!(front.ask("GET", &path).await.body, "a layer");
    let head = front.ask("HEAD", &path).await;
    assert_eq!(head.is(StatusCode::OK).header("content-length"), "7");
    assert_eq!(head.header("docker-content-digest"), layer);
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn a_part_of_a_blob_is_pulled_by_its_range() {
    let front = Front::new().await;
    let digest = front.push_blob("a", b"0123456789").await;
    let path = format!("/v2/a/blobs/{digest}");
    for (range, part, place) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
    ] {
        let got = front.ask("GET", &path).header("range", range).await;
        got.is(StatusCode::PARTIAL_CONTENT);
        assert_eq!(got.body, part);
        assert_eq!(got.header("content-range"), place);
        assert_eq!(got.header("content-length"), part.len().to_string());
    }
    let beyond = front.ask("GET", &path).header("range", "bytes=10-").await;
    beyond.is(StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.header("content-range"), "bytes */10");
}

#[tokio::test]
async fn tags_are_listed_page_by_page() {
    let front = Front::new().await;
    let digest = front.push_image("a", "first", b"x").await;
    let manifest = front.ask("GET", "/v2/a/manifests/first").await.body;
    for chunk in 0..40 {
        let tags: Vec<String> = (0..30).map(|n| format!("tag=t{chunk:02}-{n:02}")).collect();
        let path = format!("/v2/a/manifests/{digest}?{}", tags.join("&"));
        let put = front.ask("PUT", &path).header("content-type", IMAGE);
        put.body(manifest.clone()).await.is(StatusCode::CREATED);
    }
    let mut path = "/v2/a/tags/list?n=500".to_owned();
    let mut tags: Vec<String> = Vec::new();
    let mut pages = 0;
    loop {
        let page = front.ask("GET", &path).await;
        let found = page.is(StatusCode::OK).json()["tags"].clone();
        tags.extend(serde_json::from_value::<Vec<String>>(found).expect("tags"));
        pages += 1;
        let Some(link) = page.try_header("link") else {
            break;
        };
        let (next, rest) = link[1..].split_once('>').expect("a link");
        assert_eq!(rest, "; rel=\"next\"");
        path = next.to_owned();
    }
    assert_eq!((tags.len(), pages), (1201, 3));
    assert!(tags.is_sorted());
    for (query, expected) in [
        ("n=0", json!([])),
        ("last=t39-29", json!([])),
        ("n=1", json!(["first"])),
        ("n=1&last=first", json!(["t00-00"])),
    ] {
        let page = front.ask("GET", &format!("/v2/a/tags/list?{query}")).await;
        assert_eq!(page.json()["tags"], expected, "{query}");
    }
    for query in ["n=-1", "n=x", "n=99999999999"] {
        let page = front.ask("GET", &format!("/v2/a/tags/list?{query}")).await;
        page.is(StatusCode::BAD_REQUEST);
    }
    let unknown = front.ask("GET", "/v2/nothing/tags/list").await;
    unknown.refuses(StatusCode::NOT_FOUND, "NAME_UNKNOWN");
}

#[tokio::test]
async fn referrers_are_listed_and_filtered_and_a_subject_need_not_be_there() {
    let front = Front::new().await;
    let config = front.push_blob("a", b"{}").await;
    for (tag, kind) in [
        ("one", "a/sbom"),
        ("two", "a/signature+x"),
        ("three", "a/sbom"),
    ] {
        let more = format!(
            r#""artifactType":"{kind}","annotations":{{"tag":"{tag}"}},
            "subject":{{"mediaType":"{IMAGE}","digest":"{NOWHERE}","size":9}},"#
        );
        let put = front
            .ask("PUT", &format!("/v2/a/manifests/{tag}"))
            .header("content-type", IMAGE)
            .body(image(&config, &config, 2, &more))
            .await;
        assert_eq!(put.is(StatusCode::CREATED).header("oci-subject"), NOWHERE);
    }
    let path = format!("/v2/a/referrers/{NOWHERE}");
    let all = front.ask("GET", &path).await;
    let found = all.is(StatusCode::OK).json();
    assert_eq!(found["manifests"].as_array().map(Vec::len), Some(3));
    assert_eq!(all.try_header("oci-filters-applied"), None);
    let filtered = front
        .ask("GET", &format!("{path}?artifactType=a%2Fsignature%2Bx"))
        .await;
    assert_eq!(filtered.header("oci-filters-applied"), "artifactType");
    let found = filtered.json()["manifests"].clone();
    assert_eq!(found.as_array().map(Vec::len), Some(1));
    assert_eq!(found[0]["artifactType"], "a/signature+x");
    assert_eq!(found[0]["annotations"]["tag"], "two");

    front
        .ask("DELETE", "/v2/a/manifests/two")
        .await
        .is(StatusCode::ACCEPTED);
    let digest = found[0]["digest"].as_str().expect("a digest").to_owned();
    let gone = front.ask("DELETE", &format!("/v2/a/manifests/{digest}"));
    gone.await.is(StatusCode::ACCEPTED);
    let left = front.ask("GET", &path).await.json();
    assert_eq!(left["manifests"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_list_of_referrers_that_is_too_long_for_a_manifest_has_pages() {
    let front = Front::new().await;
    let config = front.push_blob("a", b"{}").await;
    let long = "x".repeat(1_500_000);
    for n in 0..5 {
        let more = format!(
            r#""annotations":{{"n":"{n}","long":"{long}"}},
            "subject":{{"mediaType":"{IMAGE}","digest":"{NOWHERE}","size":9}},"#
        );
        let put = front
            .ask("PUT", &format!("/v2/a/manifests/t{n}"))
            .header("content-type", IMAGE)
            .body(image(&config, &config, 2, &more))
            .await;
        put.is(StatusCode::CREATED);
    }
    let mut path = format!(
        "/v2/a/referrers/{NOWHERE}?artifactType=application/vnd.oci.image.config.v1%2Bjson"
    );
    let (mut found, mut pages) = (0, 0);
    loop {
        let page = front.ask("GET", &path).await;
        assert!(page.is(StatusCode::OK).body.len() < 4 * 1024 * 1024);
        found += page.json()["manifests"].as_array().expect("a list").len();
        pages += 1;
        let Some(link) = page.try_header("link") else {
            break;
        };
        path = link[1..].split_once('>').expect("a link").0.to_owned();
    }
    assert_eq!((found, pages), (5, 3));
}

#[tokio::test]
async fn a_link_holds_its_blob_and_letting_go_is_recorded() {
    let front = Front::new().await;
    let digest = front.push_image("a", "v1", b"a layer").await;
    let layer = Digest::of(b"a layer");
    let manifest: Digest = digest.parse().expect("a digest");
    let held = || async { front.ledger.held_blobs().await.expect("holds") };
    assert!(held().await.contains(&layer) && held().await.contains(&manifest));
    for path in [format!("blobs/{layer}"), format!("manifests/{manifest}")] {
        let path = format!("/v2/a/{path}");
        front.ask("DELETE", &path).await.is(StatusCode::ACCEPTED);
        front.ask("HEAD", &path).await.is(StatusCode::NOT_FOUND);
    }
    assert!(!held().await.contains(&layer) && !held().await.contains(&manifest));
    let tag = front.ask("HEAD", "/v2/a/manifests/v1").await;
    tag.is(StatusCode::NOT_FOUND);
    for blob in [layer, manifest] {
        let let_go = front.ledger.blob_releases(&blob).await.expect("releases");
        assert_eq!(let_go[0].holder, "registry:a");
    }
    // The bytes are the garbage rules' business.
    let blobs = front.registry.blobs();
    assert_eq!(blobs.missing(&[layer]).await.expect("an answer"), []);
}

#[tokio::test]
async fn mayflys_own_image_is_shown_without_a_push() {
    let front = Front::new().await;
    let blobs = front.registry.blobs();
    let config = blobs.put("{}".into()).await.expect("kept");
    let layer = blobs.put("layer".into()).await.expect("kept");
    let manifest = image(&config.to_string(), &layer.to_string(), 5, "");
    let digest = blobs.put(manifest.clone().into()).await.expect("kept");
    let name = "releases/shop".parse().expect("a name");
    let tags = ["r1".parse().expect("a tag")];
    for _ in 0..2 {
        let shown = front.registry.publish(&name, &digest, &[], &tags).await;
        shown.expect("shown");
    }
    let got = front.ask("GET", "/v2/releases/shop/manifests/r1").await;
    assert_eq!(got.is(StatusCode::OK).body, manifest);
    for blob in [config, layer] {
        let head = front.ask("HEAD", &format!("/v2/releases/shop/blobs/{blob}"));
        head.await.is(StatusCode::OK);
    }
    let absent = image(NOWHERE, NOWHERE, 5, "");
    let absent = blobs.put(absent.into()).await.expect("kept");
    let shown = front.registry.publish(&name, &absent, &[], &tags).await;
    assert!(shown.is_err(), "an image without its blobs");
    let got = front.ask("GET", "/v2/releases/shop/manifests/r1").await;
    assert_eq!(got.body, manifest);
}

#[tokio::test]
async fn a_removed_repository_lets_go_of_everything_by_the_rule_that_says_so() {
    let front = Front::new().await;
    front.push_image("a", "v1", b"a layer").await;
    front.push_image("b", "v1", b"a layer").await;
    let name = "a".parse().expect("a name");
    let removed = front.registry.remove_repository(&name, "the app is gone");
    assert_eq!(removed.await.expect("removed"), 3);
    let tags = front.ask("GET", "/v2/a/tags/list").await;
    tags.refuses(StatusCode::NOT_FOUND, "NAME_UNKNOWN");
    let layer = Digest::of(b"a layer");
    let let_go = front.ledger.blob_releases(&layer).await.expect("releases");
    assert_eq!(let_go[0].rule, "the app is gone");
    // The other repository still holds it.
    let held = front.ledger.held_blobs().await.expect("holds");
    assert!(held.contains(&layer));
    let other = front.ask("GET", &format!("/v2/b/blobs/{layer}")).await;
    assert_eq!(other.body, "a layer");
}

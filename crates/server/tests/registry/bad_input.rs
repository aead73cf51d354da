//! What must not do harm.

use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::http::StatusCode;
use model::Digest;
use server::registry::Anonymous;
use store::registry::Limits;

use crate::front::{Front, IMAGE, NOWHERE, image};

fn small() -> Limits {
    Limits {
        blob_bytes: 1000,
        uploads: 3,
        upload_idle: Duration::from_secs(60),
        ..Limits::default()
    }
}

#[tokio::test]
async fn a_blob_whose_digest_lies_is_refused_and_leaves_nothing() {
    let front = Front::new().await;
    let post = format!("/v2/a/blobs/uploads/?digest={NOWHERE}");
    let post = front.ask("POST", &post).body("a lie").await;
    post.refuses(StatusCode::BAD_REQUEST, "DIGEST_INVALID");
    let upload = front.begin("a").await;
    front.ask("PATCH", &upload).body("a lie").await;
    let put = front
        .ask("PUT", &format!("{upload}?digest={NOWHERE}"))
        .await;
    put.refuses(StatusCode::BAD_REQUEST, "DIGEST_INVALID");
    assert!(front.uploads().is_empty());
    let blobs = front.registry.blobs();
    assert_eq!(blobs.list().await.expect("a list"), []);
    let get = front.ask("GET", &format!("/v2/a/blobs/{NOWHERE}")).await;
    get.refuses(StatusCode::NOT_FOUND, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn digests_that_are_none_are_refused_and_an_upload_goes_on() {
    let front = Front::new().await;
    let upload = front.begin("a").await;
    let path = |digest: &str| format!("{upload}?digest={digest}");
    for bad in [
        "",
        "x",
        "sha256:",
        "sha256:baddigest",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
    ] {
        let put = front.ask("PUT", &path(bad)).body("x").await;
        put.refuses(StatusCode::BAD_REQUEST, "DIGEST_INVALID");
    }
    let put = front.ask("PUT", &upload).body("x").await;
    put.refuses(StatusCode::BAD_REQUEST, "DIGEST_INVALID");
    let good = Digest::of(b"x").to_string();
    let put = front.ask("PUT", &path(&good)).body("x").await;
    put.is(StatusCode::CREATED);
}

#[tokio::test]
async fn a_manifest_of_ten_megabytes_is_refused_with_and_without_a_length() {
    let front = Front::new().await;
    let config = front.push_blob("a", b"{}").await;
    let long = format!(r#""annotations":{{"x":"{}"}},"#, "x".repeat(10_000_000));
    let manifest = image(&config, &config, 2, &long);
    let put = || {
        front
            .ask("PUT", "/v2/a/manifests/v1")
            .header("content-type", IMAGE)
    };
    let told = put().body(manifest.clone()).await;
    told.refuses(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID");
    let streamed = put().stream(Body::from(manifest)).await;
    streamed.refuses(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID");
    let get = front.ask("GET", "/v2/a/manifests/v1").await;
    get.refuses(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN");
}

#[tokio::test]
async fn a_manifest_of_an_unknown_kind_is_kept_and_what_is_no_manifest_is_not() {
    let front = Front::new().await;
    let put = |kind: &'static str, body: &'static str| {
        front
            .ask("PUT", "/v2/a/manifests/v1")
            .header("content-type", kind)
            .body(body)
    };
    let odd = r#"{ "what" : "ever" }"#;
    put("x/unknown", odd).await.is(StatusCode::CREATED);
    let get = front.ask("GET", "/v2/a/manifests/v1").await;
    assert_eq!(
        (get.header("content-type"), &get.body[..]),
        ("x/unknown", odd.as_bytes())
    );
    for body in ["", "no json", "[", "{}", r#"{"config":1}"#] {
        let answer = put(IMAGE, body).await;
        answer.refuses(StatusCode::BAD_REQUEST, "MANIFEST_INVALID");
    }
    let subject = r#"{"subject":{"digest":"../../etc/passwd"}}"#;
    let answer = put("x/unknown", subject).await;
    answer.refuses(StatusCode::BAD_REQUEST, "MANIFEST_INVALID");
}

#[tokio::test]
async fn odd_names_and_paths_that_climb_lead_nowhere() {
    let front = Front::new().await;
    let before = names_in(front.home.path());
    for (method, path) in [
        ("POST", "/v2/../blobs/uploads/"),
        ("POST", "/v2/a/../../b/blobs/uploads/"),
        ("POST", "/v2/%2e%2e/%2e%2e/blobs/uploads/"),
        ("POST", "/v2/A/blobs/uploads/"),
        ("POST", "/v2/a%00b/blobs/uploads/"),
        ("POST", "/v2/a%0Ab/blobs/uploads/"),
        ("POST", "/v2//blobs/uploads/"),
        ("POST", "/v2/%F0%9F%A6%9F/blobs/uploads/"),
        ("PUT", "/v2/a/manifests/..%2f..%2fx"),
        ("PUT", "/v2/a/manifests/-x"),
        ("PUT", "/v2/a/manifests/v1?tag=..%2fx"),
        ("GET", "/v2/a/blobs/sha256:..%2f..%2fledger.db"),
        ("PATCH", "/v2/a/blobs/uploads/..%2f..%2fledger.db"),
        ("DELETE", "/v2/a/blobs/uploads/..%2fx"),
    ] {
        let answer = front.ask(method, path).body("{}").await;
        let refused = [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND];
        assert!(
            refused.contains(&answer.status),
            "{method} {path}: {answer:?}"
        );
        assert!(answer.json()["errors"][0]["code"].is_string());
    }
    let long = format!("/v2/{}/blobs/uploads/", "a".repeat(256));
    let answer = front.ask("POST", &long).await;
    answer.refuses(StatusCode::BAD_REQUEST, "NAME_INVALID");
    assert_eq!(names_in(front.home.path()), before);
    // A name as long as one may be works.
    let long = "a".repeat(255);
    front.push_blob(&long, b"x").await;
}

fn names_in(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("sha256") {
            names.extend(names_in(&path));
        }
        names.push(path);
    }
    names.sort();
    names
}

#[tokio::test]
async fn too_many_tags_at_once_are_refused_whole() {
    let front = Front::new().await;
    let digest = front.push_image("a", "v1", b"x").await;
    let manifest = front.ask("GET", "/v2/a/manifests/v1").await.body;
    let tags: Vec<String> = (0..33).map(|n| format!("tag=t{n}")).collect();
    let path = format!("/v2/a/manifests/{digest}?{}", tags.join("&"));
    let put = front.ask("PUT", &path).header("content-type", IMAGE);
    put.body(manifest).await.is(StatusCode::URI_TOO_LONG);
    let list = front.ask("GET", "/v2/a/tags/list").await.json();
    assert_eq!(list["tags"], serde_json::json!(["v1"]));
}

#[tokio::test]
async fn a_blob_that_is_too_large_is_refused_and_its_upload_stands_where_it_stood() {
    let front = Front::with(small(), Anonymous::Refused).await;
    let upload = front.begin("a").await;
    front
        .ask("PATCH", &upload)
        .body("start")
        .await
        .is(StatusCode::ACCEPTED);
    let much = vec![7; 4_000_000];
    let patch = front.ask("PATCH", &upload).stream(Body::from(much.clone()));
    patch
        .await
        .refuses(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID");
    let status = front.ask("GET", &upload).await;
    assert_eq!(status.is(StatusCode::NO_CONTENT).header("range"), "0-4");
    let path = format!("/v2/a/blobs/uploads/?digest={}", Digest::of(&much));
    let post = front.ask("POST", &path).body(much).await;
    post.refuses(StatusCode::PAYLOAD_TOO_LARGE, "SIZE_INVALID");
    assert_eq!(front.uploads().len(), 1);
}

#[tokio::test]
async fn uploads_are_limited_in_number_and_swept_when_they_lie_still() {
    let front = Front::with(small(), Anonymous::Refused).await;
    for _ in 0..3 {
        front.begin("a").await;
    }
    let fourth = front.ask("POST", "/v2/a/blobs/uploads/").await;
    fourth.refuses(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS");
    let now = SystemTime::now();
    for (later, swept) in [(30, 0), (90, 3)] {
        let later = now + Duration::from_secs(later);
        let count = front.registry.sweep_uploads(later).await;
        assert_eq!(count.expect("swept"), swept);
    }
    assert!(front.uploads().is_empty());
    front.begin("a").await;
}

#[tokio::test]
async fn an_upload_goes_on_in_the_next_process() {
    let front = Front::with(small(), Anonymous::Refused).await;
    let upload = front.begin("a").await;
    front
        .ask("PATCH", &upload)
        .body("may")
        .await
        .is(StatusCode::ACCEPTED);
    let front = front.reopened(small()).await;
    let status = front.ask("GET", &upload).await;
    assert_eq!(status.is(StatusCode::NO_CONTENT).header("range"), "0-2");
    let put = format!("{upload}?digest={}", Digest::of(b"mayfly"));
    front
        .ask("PUT", &put)
        .body("fly")
        .await
        .is(StatusCode::CREATED);
}

#[tokio::test]
async fn an_address_that_others_reach_is_refused() {
    let front = Front::new().await;
    let listener = tokio::net::TcpListener::bind(("0.0.0.0", 0)).await;
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let served = server::registry::serve(listener.expect("a port"), front.state(), stopped).await;
    let error = served.expect_err("refused");
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

//! How content gets in.

use axum::body::Body;
use axum::http::StatusCode;
use model::Digest;

use crate::front::{Front, IMAGE, NOWHERE, image};

#[tokio::test]
async fn a_blob_comes_in_chunks_each_behind_the_last() {
    let front = Front::new().await;
    let content: Vec<u8> = (0..3000u32).map(|n| n as u8).collect();
    let digest = Digest::of(&content);
    let upload = front.begin("a/b").await;
    for (range, offset) in [(0..1000, "0-999"), (1000..2500, "0-2499")] {
        let header = format!("{}-{}", range.start, range.end - 1);
        let patch = front
            .ask("PATCH", &upload)
            .header("content-range", &header)
            .body(content[range].to_vec());
        assert_eq!(patch.await.is(StatusCode::ACCEPTED).header("range"), offset);
    }
    let put = format!("{upload}?digest={digest}");
    let put = front
        .ask("PUT", &put)
        .header("content-range", "2500-2999")
        .body(content[2500..].to_vec())
        .await;
    let location = put.is(StatusCode::CREATED).header("location").to_owned();
    let got = front.ask("GET", &location).await;
    assert!(got.is(StatusCode::OK).body == content);
    assert!(front.uploads().is_empty());
}

#[tokio::test]
async fn a_chunk_in_the_wrong_place_is_refused_and_the_right_one_still_fits() {
    let front = Front::new().await;
    let upload = front.begin("a").await;
    let send = |range: &'static str, bytes: &'static [u8]| {
        front
            .ask("PATCH", &upload)
            .header("content-range", range)
            .body(bytes)
    };
    send("0-4", b"may-f").await.is(StatusCode::ACCEPTED);
    for (range, bytes) in [
        ("0-4", b"may-f".as_slice()),
        ("9-10", b"ly"),
        ("4-5", b"fl"),
    ] {
        let answer = send(range, bytes).await;
        answer.refuses(StatusCode::RANGE_NOT_SATISFIABLE, "BLOB_UPLOAD_INVALID");
        assert_eq!(answer.header("range"), "0-4");
        assert_eq!(answer.header("location"), upload);
    }
    let status = front.ask("GET", &upload).await;
    assert_eq!(status.is(StatusCode::NO_CONTENT).header("range"), "0-4");
    send("5-6", b"ly").await.is(StatusCode::ACCEPTED);
    let put = format!("{upload}?digest={}", Digest::of(b"may-fly"));
    front.ask("PUT", &put).await.is(StatusCode::CREATED);
}

#[tokio::test]
async fn a_chunk_of_another_length_than_it_says_is_taken_back() {
    let front = Front::new().await;
    let upload = front.begin("a").await;
    front
        .ask("PATCH", &upload)
        .body("may")
        .await
        .is(StatusCode::ACCEPTED);
    for header in ["3-9", "3-4"] {
        let patch = front
            .ask("PATCH", &upload)
            .header("content-range", header)
            .stream(Body::from("flyx"))
            .await;
        patch.refuses(StatusCode::BAD_REQUEST, "SIZE_INVALID");
    }
    let put = format!("{upload}?digest={}", Digest::of(b"mayfly"));
    let put = front.ask("PUT", &put).body("fly").await;
    put.is(StatusCode::CREATED);
}

#[tokio::test]
async fn a_large_stream_without_a_length_arrives_whole() {
    let front = Front::new().await;
    let content: Vec<u8> = (0..5_000_003u32).map(|n| ((n * 7) >> 3) as u8).collect();
    let pieces: Vec<_> = content
        .chunks(70_001)
        .map(|piece| Ok::<_, std::io::Error>(bytes::Bytes::copy_from_slice(piece)))
        .collect();
    let upload = front.begin("a").await;
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    let patch = front.ask("PATCH", &upload).stream(body).await;
    patch.is(StatusCode::ACCEPTED);
    let digest = Digest::of(&content);
    let put = front.ask("PUT", &format!("{upload}?digest={digest}")).await;
    put.is(StatusCode::CREATED);
    let got = front.ask("GET", &format!("/v2/a/blobs/{digest}")).await;
    assert!(got.body == content);
}

#[tokio::test]
async fn an_upload_can_be_cancelled_and_belongs_to_its_repository() {
    let front = Front::new().await;
    let upload = front.begin("a").await;
    let elsewhere = upload.replacen("/v2/a/", "/v2/b/", 1);
    for method in ["GET", "PATCH", "PUT", "DELETE"] {
        let path = format!("{elsewhere}?digest={NOWHERE}");
        let answer = front.ask(method, &path).await;
        answer.refuses(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN");
    }
    let cancel = front.ask("DELETE", &upload).await;
    cancel.is(StatusCode::NO_CONTENT);
    assert!(front.uploads().is_empty());
    let status = front.ask("GET", &upload).await;
    status.refuses(StatusCode::NOT_FOUND, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn a_blob_is_mounted_from_a_repository_and_from_any() {
    let front = Front::new().await;
    let digest = front.push_blob("a", b"shared").await;
    for (to, query) in [("b", "&from=a"), ("c", "")] {
        let path = format!("/v2/{to}/blobs/uploads/?mount={digest}{query}");
        let mount = front.ask("POST", &path).await;
        let location = mount.is(StatusCode::CREATED).header("location").to_owned();
        assert_eq!(location, format!("/v2/{to}/blobs/{digest}"));
        front.ask("GET", &location).await.is(StatusCode::OK);
    }
    for query in [
        format!("mount={NOWHERE}&from=a"),
        format!("mount={NOWHERE}"),
        format!("mount={digest}&from=nowhere"),
        format!("mount={digest}&from=../a"),
    ] {
        let path = format!("/v2/d/blobs/uploads/?{query}");
        let mount = front.ask("POST", &path).await;
        mount.is(StatusCode::ACCEPTED).header("location");
    }
}

#[tokio::test]
async fn content_may_be_named_by_sha512() {
    let front = Front::new().await;
    let content = b"by another name";
    let digest = sha512(content);
    let path = format!("/v2/a/blobs/uploads/?digest={digest}");
    let post = front.ask("POST", &path).body(content.to_vec()).await;
    post.is(StatusCode::CREATED);
    let got = front.ask("GET", &format!("/v2/a/blobs/{digest}")).await;
    assert_eq!(got.is(StatusCode::OK).body, content.as_slice());
    assert_eq!(got.header("docker-content-digest"), digest);

    let manifest = image(&digest, &digest, content.len(), "");
    let name = sha512(manifest.as_bytes());
    let path = format!("/v2/a/manifests/{name}?tag=one&tag=two");
    let put = front.ask("PUT", &path).header("content-type", IMAGE);
    put.body(manifest.clone()).await.is(StatusCode::CREATED);
    for reference in [name.as_str(), "one", "two"] {
        let got = front.ask("GET", &format!("/v2/a/manifests/{reference}"));
        let got = got.await;
        assert_eq!(got.is(StatusCode::OK).body, manifest);
        assert_eq!(got.header("docker-content-digest"), name);
    }
    let lie = front
        .ask("PUT", &format!("/v2/a/manifests/{digest}"))
        .header("content-type", IMAGE)
        .body(manifest)
        .await;
    lie.refuses(StatusCode::BAD_REQUEST, "DIGEST_INVALID");
}

fn sha512(content: &[u8]) -> String {
    let zero = format!("sha512:{}", "0".repeat(128));
    let zero: store::registry::ContentDigest = zero.parse().expect("a digest");
    zero.of_same_kind(content).to_string()
}

#[tokio::test]
async fn a_tag_moves_for_clients_and_digests_stay() {
    let front = Front::new().await;
    let first = front.push_image("a", "latest", b"one").await;
    let second = front.push_image("a", "latest", b"two").await;
    assert_ne!(first, second);
    for (reference, digest) in [("latest", &second), (&first, &first), (&second, &second)] {
        let got = front.ask("HEAD", &format!("/v2/a/manifests/{reference}"));
        let got = got.await;
        assert_eq!(
            got.is(StatusCode::OK).header("docker-content-digest"),
            digest
        );
    }
}

#[tokio::test]
async fn two_pushes_of_one_tag_at_once_leave_one_of_the_two_whole() {
    let front = Front::new().await;
    for round in 0..20 {
        let (one, two) = (format!("one {round}"), format!("two {round}"));
        let (one, two) = tokio::join!(
            front.push_image("a", "latest", one.as_bytes()),
            front.push_image("a", "latest", two.as_bytes()),
        );
        let got = front.ask("GET", "/v2/a/manifests/latest").await;
        let digest = got.is(StatusCode::OK).header("docker-content-digest");
        assert!(digest == one || digest == two);
        assert_eq!(Digest::of(&got.body).to_string(), digest);
        for digest in [one, two] {
            let got = front.ask("GET", &format!("/v2/a/manifests/{digest}"));
            got.await.is(StatusCode::OK);
        }
    }
}

#[tokio::test]
async fn one_upload_takes_one_writer_at_a_time() {
    let front = Front::new().await;
    let upload = front.begin("a").await;
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<bytes::Bytes, std::io::Error>>(1);
    let body = futures_util::stream::unfold(receiver, |mut receiver| async move {
        Some((receiver.recv().await?, receiver))
    });
    let first = front.ask("PATCH", &upload).stream(Body::from_stream(body));
    let first = first.into_future();
    let others = async {
        // The second piece is taken once the first one was: then the upload is taken too.
        for _ in 0..2 {
            sender.send(Ok("x".into())).await.expect("taken");
        }
        sender.reserve().await.expect("taken").send(Ok("x".into()));
        let second = front.ask("PATCH", &upload).body("y").await;
        second.refuses(StatusCode::CONFLICT, "BLOB_UPLOAD_INVALID");
        let cancel = front.ask("DELETE", &upload).await;
        cancel.refuses(StatusCode::CONFLICT, "BLOB_UPLOAD_INVALID");
        drop(sender);
    };
    let (first, ()) = tokio::join!(first, others);
    assert_eq!(first.is(StatusCode::ACCEPTED).header("range"), "0-2");
    let put = format!("{upload}?digest={}", Digest::of(b"xxx"));
    front.ask("PUT", &put).await.is(StatusCode::CREATED);
}

//! Who gets in, and who does not.

use std::time::Duration;

use axum::http::StatusCode;
use model::Timestamp;
use ports::access::{Right, Scope};
use store::registry::{Limits, NewToken};

use server::registry::Anonymous;

use crate::front::{Front, IMAGE, base64};

#[tokio::test]
async fn a_login_gets_a_bearer_for_its_token_and_loses_it_with_the_token() {
    let front = Front::new().await;
    let ping = front.ask_without("GET", "/v2/").await;
    ping.refuses(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    let challenge = r#"Bearer realm="http://127.0.0.1:5000/v2/token",service="127.0.0.1:5000""#;
    assert_eq!(ping.header("www-authenticate"), challenge);

    let token = front.token(&[("team", Right::Write)]).await;
    let path = "/v2/token?service=127.0.0.1:5000&scope=repository:team/a:pull,push&account=me";
    let bearer = front.ask_as(&token.secret, "GET", path).await;
    let bearer = bearer.is(StatusCode::OK).json()["token"].clone();
    let bearer = format!("Bearer {}", bearer.as_str().expect("a token"));
    assert!(!bearer.contains(&token.secret));
    let ask = |method: &'static str, path: &'static str| {
        front
            .ask_without(method, path)
            .header("authorization", &bearer)
    };
    ask("GET", "/v2/").await.is(StatusCode::OK);
    let begin = ask("POST", "/v2/team/a/blobs/uploads/").await;
    begin.is(StatusCode::ACCEPTED);
    let begin = ask("POST", "/v2/other/blobs/uploads/").await;
    begin.refuses(StatusCode::FORBIDDEN, "DENIED");

    let revoked = front.tokens.revoke(&token.id, Timestamp::now()).await;
    assert!(revoked.expect("revoked"));
    let ping = ask("GET", "/v2/").await;
    ping.refuses(StatusCode::UNAUTHORIZED, "UNAUTHORIZED");
    assert!(ping.header("www-authenticate").contains("invalid_token"));
}

#[tokio::test]
async fn credentials_that_do_not_hold_open_nothing() {
    let front = Front::new().await;
    front.push_image("a", "v1", b"x").await;
    let now = Timestamp::now();
    let expired = NewToken {
        label: "expired".to_owned(),
        scopes: vec![Scope {
            prefix: String::new(),
            right: Right::Write,
        }],
        expires_at: now - Duration::from_secs(1),
    };
    let expired = front.tokens.issue(expired, now).await.expect("issued");
    let good = front.token(&[("", Right::Read)]).await;
    let basic = |secret: &str| format!("Basic {}", base64(format!("me:{secret}").as_bytes()));
    let longer = format!("{}0", good.secret);
    for header in [
        String::new(),
        "Basic".to_owned(),
        "Basic !!!".to_owned(),
        format!("Basic {}", base64(b"no colon")),
        basic(""),
        basic("mayfly_"),
        basic(&expired.secret),
        basic(&longer),
        basic(&good.id),
        format!("Bearer {}", good.secret),
        "Bearer anonymous".to_owned(),
        "Digest x".to_owned(),
    ] {
        for path in ["/v2/", "/v2/token", "/v2/a/manifests/v1", "/v2/a/tags/list"] {
            let ask = front.ask_without("GET", path);
            let answer = ask.header("authorization", &header).await;
            answer.is(StatusCode::UNAUTHORIZED);
        }
    }
    // The same requests with a token that holds.
    for path in ["/v2/", "/v2/token", "/v2/a/manifests/v1", "/v2/a/tags/list"] {
        let answer = front.ask_as(&good.secret, "GET", path).await;
        answer.is(StatusCode::OK);
    }
}

#[tokio::test]
async fn a_reader_reads_and_changes_nothing() {
    let front = Front::new().await;
    let digest = front.push_image("team/a", "v1", b"x").await;
    let blob = front.push_blob("team/a", b"x").await;
    let reader = front.token(&[("team", Right::Read)]).await.secret;
    for (method, path) in [
        ("GET", "/v2/team/a/manifests/v1".to_owned()),
        ("HEAD", format!("/v2/team/a/blobs/{blob}")),
        ("GET", "/v2/team/a/tags/list".to_owned()),
        ("GET", format!("/v2/team/a/referrers/{digest}")),
    ] {
        let answer = front.ask_as(&reader, method, &path).await;
        answer.is(StatusCode::OK);
    }
    for (method, path) in [
        ("PUT", "/v2/team/a/manifests/v2".to_owned()),
        ("DELETE", "/v2/team/a/manifests/v1".to_owned()),
        ("DELETE", format!("/v2/team/a/blobs/{blob}")),
        ("POST", "/v2/team/a/blobs/uploads/".to_owned()),
        ("GET", "/v2/other/manifests/v1".to_owned()),
    ] {
        let answer = front.ask_as(&reader, method, &path).await;
        answer.is(StatusCode::FORBIDDEN);
    }
    let still = front.ask("GET", "/v2/team/a/manifests/v1").await;
    still.is(StatusCode::OK);
}

#[tokio::test]
async fn a_repository_of_releases_is_read_only_whoever_asks() {
    let front = Front::new().await;
    let blobs = front.registry.blobs();
    let blob = blobs.put("{}".into()).await.expect("kept");
    let name = "releases/shop".parse().expect("a name");
    let link = front.registry.put_blob(&name, "{}".into()).await;
    assert_eq!(link.expect("linked").blob, blob);
    for (method, path) in [
        ("POST", "/v2/releases/shop/blobs/uploads/".to_owned()),
        ("PUT", "/v2/releases/shop/manifests/r1".to_owned()),
        ("DELETE", "/v2/releases/shop/manifests/r1".to_owned()),
        ("DELETE", format!("/v2/releases/shop/blobs/{blob}")),
    ] {
        let answer = front.ask(method, &path).header("content-type", IMAGE);
        let answer = answer.body("{}").await;
        if method != "GET" {
            answer.refuses(StatusCode::FORBIDDEN, "DENIED");
        }
    }
    let read = front.ask("GET", &format!("/v2/releases/shop/blobs/{blob}"));
    read.await.is(StatusCode::OK);
    // The same writing elsewhere goes through.
    front.push_image("open/shop", "r1", b"x").await;
}

#[tokio::test]
async fn a_blob_is_read_only_where_it_is_linked_and_mounted_only_by_who_may_read_it() {
    let front = Front::new().await;
    let digest = front.push_blob("secret/a", b"a secret").await;
    let writer = front.token(&[("mine", Right::Write)]).await.secret;
    let elsewhere = front.ask_as(&writer, "GET", &format!("/v2/mine/a/blobs/{digest}"));
    elsewhere
        .await
        .refuses(StatusCode::NOT_FOUND, "BLOB_UNKNOWN");
    for query in ["&from=secret/a", ""] {
        let path = format!("/v2/mine/a/blobs/uploads/?mount={digest}{query}");
        let mount = front.ask_as(&writer, "POST", &path).await;
        mount.is(StatusCode::ACCEPTED);
    }
    let still = front.ask_as(&writer, "GET", &format!("/v2/mine/a/blobs/{digest}"));
    still.await.is(StatusCode::NOT_FOUND);
    // Who may read it there may mount it.
    let both = [("mine", Right::Write), ("secret", Right::Read)];
    let both = front.token(&both).await.secret;
    let path = format!("/v2/mine/a/blobs/uploads/?mount={digest}");
    let mount = front.ask_as(&both, "POST", &path).await;
    mount.is(StatusCode::CREATED);
}

#[tokio::test]
async fn anybody_pulls_where_that_is_switched_on_and_nobody_pushes() {
    let front = Front::with(Limits::default(), Anonymous::MayPull).await;
    front.push_image("a", "v1", b"x").await;
    let get = |path: &'static str| front.ask_without("GET", path);
    get("/v2/a/manifests/v1").await.is(StatusCode::OK);
    // Asked who it is, a client may still log in.
    get("/v2/").await.is(StatusCode::UNAUTHORIZED);
    let bearer = get("/v2/token").await.is(StatusCode::OK).json()["token"].clone();
    let bearer = format!("Bearer {}", bearer.as_str().expect("a token"));
    let pull = get("/v2/a/manifests/v1").header("authorization", &bearer);
    pull.await.is(StatusCode::OK);
    for header in [None, Some(&bearer)] {
        let push = front.ask_without("POST", "/v2/a/blobs/uploads/");
        let push = match header {
            Some(bearer) => push.header("authorization", bearer),
            None => push,
        };
        let push = push.await;
        push.is(StatusCode::UNAUTHORIZED);
        let challenge = push.header("www-authenticate");
        assert!(challenge.contains(r#"scope="repository:a:pull,push""#));
    }
}

#[tokio::test]
async fn no_secret_is_in_the_record() {
    let front = Front::new().await;
    let token = front.token(&[("", Right::Read)]).await;
    front.ledger.close().await;
    for entry in std::fs::read_dir(front.home.path()).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            let bytes = std::fs::read(&path).expect("read");
            let has = |text: &str| bytes.windows(text.len()).any(|w| w == text.as_bytes());
            assert!(!has(&token.secret), "{}", path.display());
        }
    }
    let listed = std::fs::read(front.home.path().join("ledger.db")).expect("read");
    let id = token.id.as_bytes();
    assert!(listed.windows(id.len()).any(|window| window == id));
}

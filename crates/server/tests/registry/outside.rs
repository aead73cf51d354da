//! Other clients on a real port: the oci-client crate, and mayfly's own copies to other registries.

use std::net::SocketAddr;

use bytes::Bytes;
use model::Digest;
use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference as Remote};
use store::registry::{CopyError, Destination, Login, NewManifest, Reference, RepositoryName};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::front::{Front, IMAGE, image};

/// A registry on a port of its own, until it is dropped.
struct Served {
    front: Front,
    address: SocketAddr,
    _stop: watch::Sender<bool>,
}

impl Served {
    async fn new() -> Self {
        let front = Front::new().await;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(server::registry::serve(listener, front.state(), stopped));
        Self {
            front,
            address,
            _stop: stop,
        }
    }

    fn login(&self) -> Option<Login> {
        Some(Login {
            user: "mayfly".to_owned(),
            secret: self.front.secret().to_owned(),
        })
    }
}

fn crypto() {
    // The first one counts.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

#[tokio::test]
async fn the_oci_client_crate_logs_in_pushes_and_pulls() {
    crypto();
    let served = Served::new().await;
    for monolithic in [true, false] {
        let client = Client::new(ClientConfig {
            protocol: ClientProtocol::Http,
            use_monolithic_push: monolithic,
            ..ClientConfig::default()
        });
        let name = format!("{}/team/app:{monolithic}", served.address);
        let name: Remote = name.parse().expect("a name");
        let layers = [ImageLayer::oci_v1(vec![7; 9_000_000], None)];
        let config = || Config::oci_v1(b"{}".to_vec(), None);
        let wrong = RegistryAuth::Basic("me".to_owned(), "mayfly_wrong".to_owned());
        let pushed = client.push(&name, &layers, config(), &wrong, None).await;
        assert!(pushed.is_err(), "a push with a wrong token");

        let client = Client::new(ClientConfig {
            protocol: ClientProtocol::Http,
            use_monolithic_push: monolithic,
            ..ClientConfig::default()
        });
        let login = served.login().expect("a login");
        let right = RegistryAuth::Basic(login.user, login.secret);
        let pushed = client.push(&name, &layers, config(), &right, None).await;
        pushed.expect("pushed");
        let kinds = vec!["application/vnd.oci.image.layer.v1.tar"];
        let pulled = client.pull(&name, &right, kinds).await.expect("pulled");
        assert!(pulled.layers[0].data == layers[0].data);
        assert_eq!(pulled.config.data, &b"{}"[..]);
    }
}

/// An image in `team/app` with a signature under cosign's tag, an SBOM that refers to it, and a
/// signature that refers to the SBOM. Returns the image's digest.
async fn vouched_for(front: &Front) -> Digest {
    let digest = front.push_image("team/app", "r1", b"a layer").await;
    let config = front.push_blob("team/app", b"{}").await;
    let attach = async |reference: String, layer: &str, more: String| {
        let blob = front.push_blob("team/app", layer.as_bytes()).await;
        let new = NewManifest {
            reference: reference.parse().expect("a reference"),
            tags: Vec::new(),
            content_type: Some(IMAGE.to_owned()),
            bytes: Bytes::from(image(&config, &blob, layer.len(), &more)),
        };
        let name = name("team/app");
        let kept = front.registry.put_manifest(&name, new).await;
        kept.expect("kept").digest.to_string()
    };
    let signature = format!("{}.sig", digest.replace(':', "-"));
    attach(signature, "signature", String::new()).await;
    let about = |digest: &str| {
        format!(
            r#""artifactType":"a/kind","subject":{{"mediaType":"{IMAGE}","digest":"{digest}","size":1}},"#
        )
    };
    let sbom = attach("sbom".to_owned(), "sbom", about(&digest)).await;
    attach("of-sbom".to_owned(), "signed sbom", about(&sbom)).await;
    digest.parse().expect("a digest")
}

fn name(text: &str) -> RepositoryName {
    text.parse().expect("a name")
}

async fn referrers(front: &Front, repository: &str, digest: &str) -> Vec<String> {
    let path = format!("/v2/{repository}/referrers/{digest}");
    let list = front.ask("GET", &path).await.json();
    let entries = list["manifests"].as_array().expect("a list").iter();
    let digest = |entry: &serde_json::Value| entry["digest"].as_str().map(str::to_owned);
    entries.filter_map(digest).collect()
}

#[tokio::test]
async fn an_image_is_copied_with_all_that_vouches_for_it() {
    let here = Front::new().await;
    let there = Served::new().await;
    let digest = vouched_for(&here).await;
    let to = |login| Destination {
        registry: there.address.to_string(),
        repository: "mirror/app".to_owned(),
        tags: vec!["r1".parse().expect("a tag")],
        login,
    };
    let from = name("team/app");
    for login in [
        None,
        Some(Login {
            user: "mayfly".to_owned(),
            secret: "mayfly_wrong".to_owned(),
        }),
    ] {
        let refused = here.registry.copy(&from, &digest.into(), &to(login)).await;
        assert!(
            matches!(refused, Err(CopyError::Refused { .. })),
            "{refused:?}"
        );
    }
    let copied = here
        .registry
        .copy(&from, &digest.into(), &to(there.login()))
        .await
        .expect("copied");
    // The config, the layers of the image, the signature, the SBOM and the SBOM's signature.
    assert_eq!(copied.blobs, 5);

    let image = digest.to_string();
    let signature = format!("{}.sig", image.replace(':', "-"));
    let front = &there.front;
    for reference in ["r1", &image, &signature] {
        let ours = here.ask("GET", &format!("/v2/team/app/manifests/{reference}"));
        let theirs = front.ask("GET", &format!("/v2/mirror/app/manifests/{reference}"));
        assert_eq!(ours.await.body, theirs.await.body, "{reference}");
    }
    let sboms = referrers(front, "mirror/app", &image).await;
    assert_eq!(sboms, referrers(&here, "team/app", &image).await);
    assert_eq!(sboms.len(), 1);
    assert_eq!(referrers(front, "mirror/app", &sboms[0]).await.len(), 1);
    // It lists referrers itself: no list under a tag is needed.
    let fallback = Reference::Tag(image.replace(':', "-").parse().expect("a tag"));
    let there_too = front
        .registry
        .manifest(&name("mirror/app"), &fallback)
        .await;
    assert!(there_too.is_err(), "a list nobody needs");

    let again = here
        .registry
        .copy(&from, &digest.into(), &to(there.login()))
        .await
        .expect("copied again");
    assert_eq!((again.blobs, again.sent_bytes), (0, 0));
}

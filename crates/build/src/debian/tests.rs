//! Bases made from a small mirror on loopback, signed with keys of its own.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use model::failure::{Failure, FailureCode};
use model::{Digest, Timestamp};
use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, EncryptionCaps, KeyType, SecretKeyParamsBuilder,
    SignedPublicKey, SignedSecretKey, SubkeyParamsBuilder,
};
use pgp::types::Password;

use super::*;
use crate::fetch::Fetcher;
use crate::layer::{Packer, Shelf};
use crate::testing::{ClosedWorkshop, MemoryBlobs, Notices, Website};

/// Who signs.
struct Signer(SignedSecretKey);

impl Signer {
    fn new() -> Self {
        let mut subkey = SubkeyParamsBuilder::default();
        subkey.key_type(KeyType::Ed25519Legacy).can_sign(true);
        let mut key = SecretKeyParamsBuilder::default();
        key.key_type(KeyType::Ed25519Legacy)
            .can_certify(true)
            .can_sign(true)
            .can_encrypt(EncryptionCaps::None)
            .primary_user_id("Archive <archive@mirror.example>".into())
            .subkeys(vec![subkey.build().expect("a subkey")]);
        let params = key.build().expect("parameters");
        Self(params.generate(rand::thread_rng()).expect("a key"))
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let key = &self.0.primary_key;
        armored(CleartextSignedMessage::sign(
            rand::thread_rng(),
            text,
            key,
            &Password::empty(),
        ))
    }

    fn sign_with_subkey(&self, text: &str) -> Vec<u8> {
        let key = &self.0.secret_subkeys[0].key;
        armored(CleartextSignedMessage::sign(
            rand::thread_rng(),
            text,
            key,
            &Password::empty(),
        ))
    }

    fn public(&self) -> Keyring {
        let public = SignedPublicKey::from(self.0.clone());
        let text = public.to_armored_string(ArmorOptions::default());
        Keyring::Inline(text.expect("a public key"))
    }
}

fn armored(message: pgp::errors::Result<CleartextSignedMessage>) -> Vec<u8> {
    let message = message.expect("a signed message");
    message
        .to_armored_bytes(ArmorOptions::default())
        .expect("armored")
}

/// A mirror with a few packages.
struct Archive {
    site: Website,
    signer: Signer,
    home: tempfile::TempDir,
}

const INRELEASE: &str = "/debian/dists/trixie/InRelease";
const LIST: &str = "/debian/dists/trixie/main/binary-amd64/Packages.xz";

impl Archive {
    fn new() -> Self {
        let archive = Self {
            site: Website::start(),
            signer: Signer::new(),
            home: tempfile::tempdir().expect("a folder"),
        };
        archive.publish("1.0");
        archive
    }

    /// Publishes all packages, `libc6` in this version.
    fn publish(&self, libc: &str) {
        let mut list = String::new();
        for (name, version, depends, files) in [
            (
                "base-files",
                "13",
                "",
                &[("etc/os-release", "ID=debian\n")][..],
            ),
            ("busybox", "1", "libc6", &[("bin/busybox", "program")]),
            (
                "dash",
                "1",
                "debconf (>= 1) | dash-helper",
                &[("bin/dash", "shell")],
            ),
            (
                "libstdc++6",
                "14+1",
                "libc6 (>= 1)",
                &[("usr/lib/libstdc++.so.6", "library")],
            ),
            (
                "libc6",
                libc,
                "",
                &[("lib/libc.so.6", libc), ("usr/share/man/x.1", "manual")],
            ),
            (
                "ca-certificates",
                "1",
                "openssl",
                &[
                    ("usr/share/ca-certificates/mozilla/B.crt", "BBB\n"),
                    ("usr/share/ca-certificates/mozilla/A.crt", "AAA"),
                ],
            ),
            (
                "libgl1",
                "1",
                "libc6",
                &[("usr/lib/libGL.so.1", "graphics")],
            ),
        ] {
            let control = format!("Package: {name}\nVersion: {version}\nArchitecture: amd64\n");
            let deb = deb(&control, files);
            let file = format!("pool/{name}_{version}_amd64.deb");
            let depends = match depends {
                "" => String::new(),
                _ => format!("Depends: {depends}\n"),
            };
            list += &format!(
                "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{depends}Filename: {file}\nSize: {}\nSHA256: {}\n\n",
                deb.len(),
                Digest::of(&deb).hex()
            );
            self.site
                .put(&format!("/debian/{}", file.replace('+', "%2B")), deb);
        }
        let packed = xz(list.as_bytes());
        self.site.put(
            INRELEASE,
            self.signer.sign(&release(&packed, "trixie", 2050)),
        );
        self.site.put(LIST, packed);
    }

    fn bases_in(&self, home: &Path) -> Bases {
        let sources = DebianSources {
            main: Some(format!("{}/debian", self.site.url)),
            updates: false,
            security: None,
            keyrings: vec![self.signer.public()],
        };
        let shelf = Shelf::open(home).expect("a shelf");
        let packer = Packer::new(Arc::new(MemoryBlobs::default()), shelf);
        let cache = home.join("cache");
        Bases::new(
            sources,
            Fetcher::of_machine(),
            packer,
            Arc::new(ClosedWorkshop),
            &cache,
        )
    }

    fn bases(&self) -> Bases {
        self.bases_in(self.home.path())
    }

    async fn base(&self, extra: &[&str]) -> Result<Base, Failure> {
        let extra: Vec<String> = extra.iter().map(|name| (*name).to_owned()).collect();
        let bases = self.bases();
        bases
            .base(BaseKind::Libc, &extra, None, &Notices::default())
            .await
    }
}

fn release(packed_list: &[u8], codename: &str, valid_until: i32) -> String {
    format!(
        "Origin: Debian\nCodename: {codename}\nValid-Until: Sat, 01 Jan {valid_until} 10:00:00 UTC\n\
         SHA256:\n {} {} main/binary-amd64/Packages.xz\n",
        Digest::of(packed_list).hex(),
        packed_list.len()
    )
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    use std::io::Read;
    let mut packed = Vec::new();
    liblzma::read::XzEncoder::new(bytes, 1)
        .read_to_end(&mut packed)
        .expect("packed");
    packed
}

fn deb(control: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let control = archive(&[("control", control)]);
    let data = archive(files);
    let mut deb = b"!<arch>\n".to_vec();
    for (name, content) in [
        ("debian-binary", &b"2.0\n"[..]),
        ("control.tar.xz", &control),
        ("data.tar.xz", &data),
    ] {
        deb.extend(format!("{name:<48}{:<10}`\n", content.len()).into_bytes());
        deb.extend(content);
        deb.resize(deb.len() + content.len() % 2, b'\n');
    }
    deb
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("./{path}"), text.as_bytes())
            .expect("added");
    }
    xz(&tar.into_inner().expect("an archive"))
}

#[tokio::test]
async fn a_base_is_made_of_signed_packages_without_their_scripts() {
    let archive = Archive::new();
    let base = archive.base(&["libgl1"]).await.expect("a base");
    let text = |path: &str| fs::read_to_string(base.packed.dir.join(path)).expect(path);
    assert_eq!(
        text("lib/libc.so.6"),
        "1.0",
        "through the link that merged /usr left"
    );
    assert_eq!(text("usr/lib/libGL.so.1"), "graphics");
    assert_eq!(text("etc/ssl/certs/ca-certificates.crt"), "AAA\nBBB\n");
    assert!(text("etc/passwd").contains("app:x:1000:1000:"));
    assert!(text("var/lib/dpkg/status").contains("Package: libc6\nStatus: install ok installed"));
    assert_eq!(
        text("var/lib/dpkg/info/libc6.list"),
        "/.\n/usr/lib/libc.so.6\n"
    );
    assert!(!base.packed.dir.join("usr/share/man").exists());
    let link = |path: &str| fs::read_link(base.packed.dir.join(path)).expect(path);
    assert_eq!(link("usr/bin/sh"), Path::new("dash"));
    assert_eq!(link("usr/bin/env"), Path::new("busybox"));
}

#[tokio::test]
async fn the_same_packages_give_the_same_layer_in_another_home() {
    let archive = Archive::new();
    let first = archive.base(&[]).await.expect("a base");
    let again = archive.base(&[]).await.expect("a base");
    assert!(!first.cached);
    let home = tempfile::tempdir().expect("a folder");
    let bases = archive.bases_in(home.path());
    let pinned = Some(&first.pin[..]);
    let other = bases
        .base(BaseKind::Libc, &[], pinned, &Notices::default())
        .await;
    let other = other.expect("a base");
    assert_eq!(first.packed.layer, other.packed.layer);
    assert_eq!(first.packed.layer, again.packed.layer);
    assert_eq!(first.pin, other.pin);
}

#[tokio::test]
async fn a_pinned_base_needs_no_index_until_a_file_is_gone() {
    let archive = Archive::new();
    let first = archive.base(&[]).await.expect("a base");
    archive.site.asked();
    archive.publish("1.1");
    archive.site.put(
        "/debian/pool/libc6_1.0_amd64.deb",
        deb(
            "Package: libc6\nVersion: 1.0\nArchitecture: amd64\n",
            &[("lib/libc.so.6", "1.0"), ("usr/share/man/x.1", "manual")],
        ),
    );

    let (home, notices) = (tempfile::tempdir().expect("a folder"), Notices::default());
    let bases = archive.bases_in(home.path());
    let pinned = bases
        .base(BaseKind::Libc, &[], Some(&first.pin), &notices)
        .await;
    assert_eq!(pinned.expect("a base").packed.layer, first.packed.layer);
    assert!(
        archive
            .site
            .asked()
            .iter()
            .all(|path| path.contains("/pool/"))
    );
    assert_eq!(notices.take(), Vec::<String>::new());

    archive.site.remove("/debian/pool/libc6_1.0_amd64.deb");
    let home = tempfile::tempdir().expect("a folder");
    let bases = archive.bases_in(home.path());
    let newer = bases
        .base(BaseKind::Libc, &[], Some(&first.pin), &notices)
        .await
        .expect("a base");
    assert_ne!(newer.packed.layer, first.packed.layer);
    assert_eq!(notices.take().len(), 1);
}

#[tokio::test]
async fn two_builds_that_begin_at_once_share_one_base() {
    let archive = Archive::new();
    let bases = archive.bases();
    let notices = Notices::default();
    let one = bases.base(BaseKind::Libc, &[], None, &notices);
    let two = bases.base(BaseKind::Libc, &[], None, &notices);
    let (one, two) = tokio::join!(one, two);
    assert_eq!(one.expect("a base").packed, two.expect("a base").packed);
    let asked = archive.site.asked();
    let of_libc = asked.iter().filter(|path| path.contains("libc6_"));
    assert_eq!(of_libc.count(), 1);
}

#[tokio::test]
async fn a_package_that_does_not_exist_is_the_apps_mistake() {
    let failure = Archive::new()
        .base(&["libgl2"])
        .await
        .expect_err("no such package");
    assert_eq!(failure.code, FailureCode::Dependency);
    assert!(failure.message.contains("libgl2"), "{failure:?}");
    assert!(failure.hint.expect("a hint").contains("libgl1"));
}

#[tokio::test]
async fn nothing_that_the_signature_does_not_cover_is_used() {
    type Tamper = fn(&Archive);
    let tampers: [(&str, Tamper); 8] = [
        ("a flipped byte in the index", |archive| {
            let mut signed = archive.site.get(INRELEASE);
            let at = signed
                .windows(7)
                .position(|window| window == b"SHA256:")
                .expect("there");
            signed[at + 10] ^= 1;
            archive.site.put(INRELEASE, signed);
        }),
        ("another key", |archive| {
            let text = release(&archive.site.get(LIST), "trixie", 2050);
            archive.site.put(INRELEASE, Signer::new().sign(&text));
        }),
        ("no signature", |archive| {
            let text = release(&archive.site.get(LIST), "trixie", 2050);
            archive.site.put(INRELEASE, text);
        }),
        ("text before the signed text", |archive| {
            let text = release(&archive.site.get(LIST), "trixie", 2050);
            let signed = archive.signer.sign("Origin: Debian\n");
            archive
                .site
                .put(INRELEASE, [text.into_bytes(), signed].concat());
        }),
        ("an index that is too old", |archive| {
            let text = release(&archive.site.get(LIST), "trixie", 2022);
            archive.site.put(INRELEASE, archive.signer.sign(&text));
        }),
        ("another suite's index", |archive| {
            let text = release(&archive.site.get(LIST), "sid", 2050);
            archive.site.put(INRELEASE, archive.signer.sign(&text));
        }),
        ("another list of packages", |archive| {
            let mut list = archive.site.get(LIST);
            let last = list.len() - 20;
            list[last] ^= 1;
            archive.site.put(LIST, list);
        }),
        ("another package", |archive| {
            let same_size = archive.site.get("/debian/pool/dash_1_amd64.deb");
            let mut other = same_size.clone();
            other[100] ^= 1;
            archive.site.put("/debian/pool/dash_1_amd64.deb", other);
        }),
    ];
    for (what, tamper) in tampers {
        let archive = Archive::new();
        tamper(&archive);
        let failure = archive.base(&[]).await.expect_err(what);
        assert_eq!(failure.code, FailureCode::Network, "{what}: {failure:?}");
        assert!(failure.hint.is_some(), "{what}");
        let archive = Archive::new();
        archive
            .base(&[])
            .await
            .expect("the same mirror without the change");
    }
}

#[test]
fn a_signing_subkey_counts_as_its_key_does() {
    let signer = Signer::new();
    let now = Timestamp::now();
    let ring = super::keyring::Keyring::read(&[signer.public()]).expect("keys");
    for message in [signer.sign("text\n"), signer.sign_with_subkey("text\n")] {
        let text = ring.signed_text(&message, now).expect("a good signature");
        assert_eq!(text.trim_end(), "text");
    }
    let other = super::keyring::Keyring::read(&[Signer::new().public()]).expect("keys");
    assert!(
        other
            .signed_text(&signer.sign_with_subkey("text\n"), now)
            .is_err()
    );
}

#[tokio::test]
async fn a_machine_without_a_mirror_or_keys_is_told_so() {
    let archive = Archive::new();
    for (sources, code) in [
        (
            DebianSources {
                main: None,
                updates: false,
                security: None,
                keyrings: vec![archive.signer.public()],
            },
            "mirror",
        ),
        (
            DebianSources {
                main: Some(archive.site.url.clone()),
                updates: false,
                security: None,
                keyrings: vec![],
            },
            "keyring",
        ),
    ] {
        let shelf = Shelf::open(archive.home.path()).expect("a shelf");
        let packer = Packer::new(Arc::new(MemoryBlobs::default()), shelf);
        let cache = archive.home.path().join("cache");
        let bases = Bases::new(
            sources,
            Fetcher::of_machine(),
            packer,
            Arc::new(ClosedWorkshop),
            &cache,
        );
        let failure = bases
            .base(BaseKind::Libc, &[], None, &Notices::default())
            .await;
        let failure = failure.expect_err(code);
        assert_eq!(failure.code, FailureCode::Machine);
        assert!(failure.message.contains(code), "{failure:?}");
        assert!(failure.hint.is_some());
    }
}

//! Static sites from end to end, and the cache: what needs neither network nor sandbox.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use model::Digest;
use model::image::Image;
use model::limits::SourceLimits;
use model::manifest::Manifest;
use model::serving::Serving;
use model::snapshot::{Entry, Mode, Snapshot};
use ports::{AdmitsAll, BlobStore, BuildRequest, Builder, Built, Source};
use tempfile::TempDir;

use crate::layer::this_boot;
use crate::testing::{ClosedWorkshop, MemoryBlobs, Notices};
use crate::{Config, ImageBuilder};

struct House {
    home: TempDir,
    blobs: Arc<MemoryBlobs>,
    builder: ImageBuilder,
}

impl House {
    fn new() -> Self {
        Self::with(tempfile::tempdir().expect("a folder"), Arc::default())
    }

    fn with(home: TempDir, blobs: Arc<MemoryBlobs>) -> Self {
        let config = Config {
            home: home.path().to_owned(),
            mirror: None,
        };
        let builder = ImageBuilder::new(config, blobs.clone(), Arc::new(ClosedWorkshop));
        Self {
            builder: builder.expect("a builder"),
            home,
            blobs,
        }
    }

    /// Crashes the machine and boots it: of what was not flushed to disk, nothing can be trusted.
    fn after_a_crash_of_the_machine(self) -> Self {
        let about = self.home.path().join("layers/.about");
        for note in fs::read_dir(about).expect("the shelf's notes") {
            let note = note.expect("a note").path();
            let text = fs::read_to_string(&note).expect("a note");
            assert!(text.contains(&this_boot()), "not flushed yet: {text}");
            fs::write(&note, text.replace(&this_boot(), "an earlier boot")).expect("a note");
        }
        Self::with(self.home, self.blobs)
    }

    /// How many inputs of builds are remembered.
    fn remembered(&self) -> usize {
        let index = self.home.path().join("layers/.index");
        fs::read_dir(index).expect("the shelf's index").count()
    }

    async fn build(&self, files: &[(&str, &str)]) -> Built {
        let source = tempfile::tempdir().expect("a folder");
        let request = BuildRequest {
            source: source_of(source.path(), files),
            manifest: Manifest::default(),
            public_env: BTreeMap::new(),
            pins: BTreeMap::new(),
        };
        let built = self
            .builder
            .build(request, &AdmitsAll, &Notices::default())
            .await;
        built.expect("a site")
    }

    async fn folder(&self, image: &Image) -> std::path::PathBuf {
        self.builder
            .layer(&image.layers[0])
            .await
            .expect("unpacked")
    }
}

fn source_of(root: &Path, files: &[(&str, &str)]) -> Source {
    let entries = files.iter().map(|(path, text)| {
        let file = root.join(path);
        fs::create_dir_all(file.parent().expect("a parent")).expect("folders");
        fs::write(file, text).expect("a file");
        Entry::File {
            path: (*path).into(),
            digest: Digest::of(text.as_bytes()),
            size_bytes: text.len() as u64,
            mode: Mode::Plain,
        }
    });
    let snapshot = Snapshot::new(entries.collect(), vec![], &SourceLimits::default());
    Source {
        snapshot: snapshot.expect("a snapshot"),
        root: root.to_owned(),
    }
}

const SITE: [(&str, &str); 2] = [("index.html", "<h1>Hi</h1>"), ("css/a.css", "h1 {}")];

#[tokio::test]
async fn a_site_becomes_an_image_with_its_files_alone() {
    let house = House::new();
    let built = house.build(&SITE).await;
    let Serving::Site { site } = &built.image.serving else {
        panic!("{:?}", built.image.serving);
    };
    let folder = house.folder(&built.image).await.join(&site.root);
    assert_eq!(
        fs::read_to_string(folder.join("css/a.css")).expect("a file"),
        "h1 {}"
    );
    assert_eq!(built.image.layers.len(), 1);
    let missing = house
        .blobs
        .missing(&built.image.blobs())
        .await
        .expect("an answer");
    assert_eq!(missing, []);
}

#[tokio::test]
async fn the_same_site_has_the_same_digest_in_another_house_and_no_work_twice() {
    let (one, other) = (House::new(), House::new());
    let first = one.build(&SITE).await;
    let again = one.build(&SITE).await;
    assert_eq!(first.image, other.build(&SITE).await.image);
    assert_eq!(first.image, again.image);
    assert!(!first.cached && again.cached);
    let edited = one.build(&[("index.html", "<h1>Ho</h1>"), SITE[1]]).await;
    assert_ne!(first.image.digest, edited.image.digest);
}

#[tokio::test]
async fn a_layer_that_the_cache_lost_is_unpacked_from_its_blob() {
    let house = House::new();
    let built = house.build(&SITE).await;
    let folder = house.folder(&built.image).await;
    assert!(house.builder.evict(0, &[]).await.expect("evicted") > 0);
    assert!(!folder.exists());
    let again = house.folder(&built.image).await;
    assert_eq!(
        fs::read_to_string(again.join("site/index.html")).expect("a file"),
        "<h1>Hi</h1>"
    );
}

#[tokio::test]
async fn after_a_crash_of_the_machine_what_was_built_before_is_not_built_again() {
    let house = House::new();
    let before = house.build(&SITE).await;
    let folder = house.folder(&before.image).await;
    let house = house.after_a_crash_of_the_machine();
    assert!(!folder.exists(), "it may be damaged");
    // The daemon sweeps soon after its start.
    house.builder.evict(u64::MAX, &[]).await.expect("evicted");
    let again = house.build(&SITE).await;
    assert!(again.cached);
    assert_eq!(again.image, before.image);
    assert!(folder.join("site/index.html").exists());
}

#[tokio::test]
async fn a_layer_whose_blob_is_gone_is_packed_again_from_its_folder() {
    let house = House::new();
    let before = house.build(&SITE).await;
    let blob = before.image.layers[0].digest;
    house.blobs.remove(&blob).await.expect("removed");
    let again = house.build(&SITE).await;
    assert!(again.cached);
    assert_eq!(again.image, before.image);
    let missing = house.blobs.missing(&[blob]).await.expect("an answer");
    assert_eq!(missing, []);
}

#[tokio::test]
async fn inputs_are_forgotten_when_neither_folder_nor_blob_of_their_layer_is_left() {
    let house = House::new();
    let built = house.build(&SITE).await;
    house.builder.evict(0, &[]).await.expect("evicted");
    assert_eq!(house.remembered(), 1);
    let blob = &built.image.layers[0].digest;
    house.blobs.remove(blob).await.expect("removed");
    house.builder.evict(0, &[]).await.expect("evicted");
    assert_eq!(house.remembered(), 0);
}

#[tokio::test]
async fn eviction_keeps_what_is_in_use_and_what_fits() {
    let house = House::new();
    let used = house.build(&SITE).await.image;
    let old = house.build(&[("index.html", "old")]).await.image;
    let (used_dir, old_dir) = (house.folder(&used).await, house.folder(&old).await);
    assert_eq!(
        house.builder.evict(u64::MAX, &[]).await.expect("evicted"),
        0
    );
    assert!(used_dir.exists() && old_dir.exists());
    house
        .builder
        .evict(0, &[used.layers[0].diff_id])
        .await
        .expect("evicted");
    assert!(used_dir.exists() && !old_dir.exists());
}

#[tokio::test]
async fn downloads_and_tools_count_too_and_go_as_a_whole() {
    let house = House::new();
    let cache = house.home.path().join("cache");
    fs::create_dir_all(cache.join("native/better-sqlite3")).expect("folders");
    fs::write(cache.join("native/better-sqlite3/module.node"), "compiled").expect("a file");
    fs::create_dir_all(cache.join("tools/uv-1")).expect("folders");
    fs::write(cache.join("tools/uv-1/uv"), "program").expect("a file");
    fs::write(cache.join("tools/.used/uv-1"), "").expect("a file");
    let freed = house.builder.evict(0, &[]).await.expect("evicted");
    assert_eq!(freed, ("compiled".len() + "program".len()) as u64);
    assert!(!cache.join("native/better-sqlite3").exists());
    assert!(!cache.join("tools/uv-1").exists());
    assert!(cache.join("tools/.work").exists(), "the shelf itself stays");
}

#[tokio::test]
async fn a_damaged_blob_is_never_unpacked_as_the_layer_it_was() {
    let house = House::new();
    let built = house.build(&SITE).await;
    let layer = built.image.layers[0].clone();
    let other = house.build(&[("index.html", "other")]).await.image.layers[0].clone();
    house.builder.evict(0, &[]).await.expect("evicted");
    let forged = model::image::Layer {
        digest: other.digest,
        ..layer
    };
    let failure = house
        .builder
        .layer(&forged)
        .await
        .expect_err("another layer's content");
    assert!(
        failure
            .cause
            .iter()
            .any(|cause| cause.contains("not the one")),
        "{failure:?}"
    );
}

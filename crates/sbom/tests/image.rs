//! Whole images, made small: what an inventory and its documents say of them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use model::inventory::{About, BillFormat, Inventory, Presence, ProblemKind, Runtime, diff};
use model::{AppName, Digest, ReleaseNumber, Timestamp};
use sbom::{Image, Limits, bill, catalogue};
use serde_json::Value;
use tempfile::TempDir;

/// Layers in the making.
struct Layers {
    home: TempDir,
    paths: Vec<PathBuf>,
}

impl Layers {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().expect("a folder"),
            paths: Vec::new(),
        }
    }

    /// A layer above those before it.
    fn layer(&mut self) -> Layer {
        let path = self.home.path().join(self.paths.len().to_string());
        fs::create_dir(&path).expect("a folder");
        self.paths.push(path.clone());
        Layer(path)
    }

    fn catalogue(&self) -> Inventory {
        self.catalogue_within(&Limits::default())
    }

    fn catalogue_within(&self, limits: &Limits) -> Inventory {
        let image = Image {
            layers: &self.paths,
            runtime: &[],
        };
        catalogue(&image, limits).expect("an inventory")
    }
}

struct Layer(PathBuf);

impl Layer {
    fn put(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, bytes).expect("a file");
        self
    }

    fn link(&self, path: &str, target: &str) -> &Self {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        symlink(target, path).expect("a link");
        self
    }

    fn program(&self, path: &str, bytes: &[u8]) -> &Self {
        self.put(path, bytes);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.0.join(path), mode).expect("a mode");
        self
    }
}

const DEP5: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n";
const SITE: &str = "opt/venv/lib/python3.13/site-packages";

/// A base with Debian packages, a Python environment, Node packages, lock files.
fn typical() -> Layers {
    let mut layers = Layers::new();
    layers
        .layer()
        .put("usr/lib/os-release", "ID=debian\nVERSION_ID=\"13\"\nNAME=\"Debian GNU/Linux\"\n")
        .link("etc/os-release", "../usr/lib/os-release")
        .put(
            "var/lib/dpkg/status",
            "Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nSource: glibc\nVersion: 2.41-12\nDepends: libgcc-s1\n\nPackage: libgcc-s1\nStatus: install ok installed\nArchitecture: amd64\nSource: gcc-14 (14.2.0-19)\nVersion: 14.2.0-19+b1\n",
        )
        .put(
            "usr/share/doc/libc6/copyright",
            format!("{DEP5}Files: *\nCopyright: x\nLicense: LGPL-2.1+\n\nFiles: a\nCopyright: y\nLicense: odd\n An odd one.\n"),
        )
        .link("usr/share/doc/libgcc-s1", "libc6");
    layers
        .layer()
        .put(
            &format!("{SITE}/flask-3.0.0.dist-info/METADATA"),
            "Metadata-Version: 2.4\nName: Flask\nVersion: 3.0.0\nLicense-Expression: BSD-3-Clause\nRequires-Dist: werkzeug>=3\nRequires-Dist: importlib-metadata; python_version < \"3.10\"\n\nbody\n",
        )
        .put(
            &format!("{SITE}/Werkzeug-3.0.1.dist-info/METADATA"),
            "Name: Werkzeug\nVersion: 3.0.1\n",
        );
    layers
        .layer()
        .put(
            "app/node_modules/express/package.json",
            r#"{"name":"express","version":"4.0.0","license":"MIT","dependencies":{"@scope/lib":"*"}}"#,
        )
        .put(
            "app/node_modules/@scope/lib/package.json",
            r#"{"name":"@scope/lib","version":"1.0.0"}"#,
        )
        .put("app/package.json", r#"{"name":"app","version":"9.9.9"}"#)
        .put(
            "app/package-lock.json",
            r#"{"packages":{"node_modules/express":{"version":"4.0.0"},"node_modules/vite":{"version":"5.0.0","dev":true}}}"#,
        )
        .put("app/requirements.txt", "gunicorn==23.0.0\n");
    layers
}

fn purls(inventory: &Inventory, presence: Presence) -> Vec<&str> {
    let all = inventory.packages().iter();
    all.filter(|one| one.presence == presence)
        .map(|one| one.purl.as_str())
        .collect()
}

fn problems(inventory: &Inventory) -> Vec<(ProblemKind, &str)> {
    let all = inventory.problems().iter();
    all.map(|one| (one.kind, one.path.as_str())).collect()
}

#[test]
fn an_image_is_what_its_own_files_say() {
    let inventory = typical().catalogue();
    assert_eq!(
        purls(&inventory, Presence::Installed),
        [
            "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc",
            "pkg:deb/debian/libgcc-s1@14.2.0-19%2Bb1?arch=amd64&distro=debian-13&upstream=gcc-14%4014.2.0-19",
            "pkg:npm/%40scope/lib@1.0.0",
            "pkg:npm/express@4.0.0",
            "pkg:pypi/flask@3.0.0",
            "pkg:pypi/werkzeug@3.0.1",
        ]
    );
    assert_eq!(
        purls(&inventory, Presence::Declared),
        ["pkg:npm/vite@5.0.0", "pkg:pypi/gunicorn@23.0.0"]
    );
    assert_eq!(problems(&inventory), []);
    let of = |name: &str| {
        let found = inventory.packages().iter().find(|one| one.name == name);
        found.expect(name)
    };
    let needs = |name: &str| {
        of(name)
            .depends_on
            .iter()
            .map(|purl| purl.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(needs("Flask"), ["pkg:pypi/werkzeug@3.0.1"]);
    assert_eq!(needs("express"), ["pkg:npm/%40scope/lib@1.0.0"]);
    assert_eq!(needs("libc6").len(), 1);
    assert_eq!(of("express").declared_in, ["app/package-lock.json"]);
    let licence = of("libc6").licence.as_deref().expect("a licence");
    assert!(
        licence.starts_with("LGPL-2.1-or-later AND LicenseRef-Debian-odd-"),
        "{licence}"
    );
    assert_eq!(
        of("libgcc-s1").licence.as_deref(),
        Some(licence),
        "through the link"
    );
    assert_eq!(inventory.licence_texts().len(), 1);
}

#[test]
fn an_upper_layer_takes_a_package_away_or_replaces_it() {
    let mut layers = typical();
    layers
        .layer()
        .put(&format!("{SITE}/.wh.flask-3.0.0.dist-info"), "")
        .put(
            "app/node_modules/express/package.json",
            r#"{"name":"express","version":"5.0.0"}"#,
        )
        .put("app/node_modules/@scope/.wh..wh..opq", "");
    let after = layers.catalogue();
    let installed = purls(&after, Presence::Installed);
    assert!(installed.contains(&"pkg:npm/express@5.0.0"));
    assert!(
        !installed
            .iter()
            .any(|purl| purl.contains("flask") || purl.contains("scope"))
    );
    let diff = diff(&typical().catalogue(), &after);
    assert_eq!(diff.changed[0].to, "5.0.0");
    assert_eq!(diff.removed.len(), 2);
}

struct Written {
    spdx: Value,
    cyclonedx: Value,
}

fn written(inventory: &Inventory) -> Written {
    let app: AppName = "shop".parse().expect("a name");
    let about = About {
        app: &app,
        release: Some(ReleaseNumber::new(3)),
        image: Digest::of(b"image"),
        created_at: Timestamp::from_second(1_700_000_000).expect("a moment"),
    };
    assert_eq!(
        bill(BillFormat::Spdx, inventory, &about),
        bill(BillFormat::Spdx, inventory, &about)
    );
    Written {
        spdx: serde_json::from_slice(&bill(BillFormat::Spdx, inventory, &about)).expect("JSON"),
        cyclonedx: serde_json::from_slice(&bill(BillFormat::CycloneDx, inventory, &about))
            .expect("JSON"),
    }
}

#[test]
fn both_documents_begin_at_the_image_and_have_all_edges() {
    let written = written(&typical().catalogue());
    let list = |value: &Value| value.as_array().cloned().expect("a list");
    let spdx = &written.spdx;
    assert_eq!(spdx["documentDescribes"][0], "SPDXRef-Image");
    assert_eq!(spdx["packages"][0]["name"], "shop");
    assert_eq!(spdx["packages"][0]["versionInfo"], "r3");
    assert_eq!(spdx["creationInfo"]["created"], "2023-11-14T22:13:20Z");
    let kinds = |kind: &str| {
        let all = list(&spdx["relationships"]);
        all.iter()
            .filter(|one| one["relationshipType"] == kind)
            .count()
    };
    let counts = ["DESCRIBES", "CONTAINS", "OTHER", "DEPENDS_ON"].map(kinds);
    assert_eq!(counts, [1, 6, 2, 3]);

    let cyclonedx = &written.cyclonedx;
    let root = cyclonedx["metadata"]["component"]["bom-ref"]
        .as_str()
        .expect("a root");
    assert!(root.starts_with("pkg:oci/shop@sha256:"), "{root}");
    let first = &cyclonedx["dependencies"][0];
    assert_eq!(first["ref"], root);
    assert_eq!(list(&first["dependsOn"]).len(), 6);
    let lib = list(&cyclonedx["components"]);
    let lib = lib
        .iter()
        .find(|one| one["name"] == "lib")
        .expect("a component");
    assert_eq!(lib["group"], "@scope");
    assert_eq!(cyclonedx["compositions"][0]["aggregate"], "complete");
}

#[test]
fn equal_layers_give_equal_bytes_and_an_inventory_reads_back() {
    let (first, second) = (typical().catalogue(), typical().catalogue());
    assert_eq!(first, second);
    let bytes = serde_json::to_vec(&first).expect("JSON");
    let read: Inventory = serde_json::from_slice(&bytes).expect("an inventory");
    assert_eq!(read, first);
    assert_eq!(written(&first).spdx, written(&second).spdx);
    assert_eq!(written(&first).cyclonedx, written(&second).cyclonedx);
}

#[test]
fn a_static_site_runs_on_mayfly_and_does_not_hold_it() {
    let mut layers = Layers::new();
    layers.layer().put("app/index.html", "<html>");
    let runtime = [Runtime {
        name: "mayfly".into(),
        version: "0.1.0".into(),
        licence: Some("Apache-2.0".into()),
    }];
    let image = Image {
        layers: &layers.paths,
        runtime: &runtime,
    };
    let inventory = catalogue(&image, &Limits::default()).expect("an inventory");
    assert_eq!(
        purls(&inventory, Presence::Runtime),
        ["pkg:generic/mayfly@0.1.0"]
    );
    let written = written(&inventory);
    let relations = written.spdx["relationships"]
        .as_array()
        .cloned()
        .expect("a list");
    let kinds: Vec<_> = relations
        .iter()
        .map(|one| &one["relationshipType"])
        .collect();
    assert_eq!(kinds, ["DESCRIBES", "RUNTIME_DEPENDENCY_OF"]);
}

#[test]
fn hostile_files_become_problems_and_the_rest_is_found() {
    let mut layers = typical();
    let layer = layers.layer();
    layer
        .put("app/node_modules/bad/package.json", "{\"name\": ")
        .put(
            "app/node_modules/odd/package.json",
            "{\"name\":\"o\\u001b[2Jd\",\"version\":\"1\"}",
        )
        .put(
            &format!("{SITE}/lie-1.0.dist-info/METADATA"),
            "Name: other\nVersion: 2.0\n",
        )
        .put(&format!("{SITE}/empty-1.0.dist-info/METADATA"), "")
        .put(
            "var/lib/dpkg/status.d/broken",
            b"Package: \xff\xfe\nVersion: 1\n",
        )
        .link("app/node_modules/loop", "loop")
        .link("app/node_modules/up", "..")
        .link("app/node_modules/out", "/../../../../etc")
        .program("usr/bin/fake", &[b"\x7fELF", &[0xffu8; 4096][..]].concat());
    fs::create_dir_all(layer.0.join("app/node_modules/express")).expect("a folder");
    fs::File::create(layer.0.join("app/node_modules/express/package.json"))
        .and_then(|file| file.set_len(1 << 30))
        .expect("a gigabyte of nothing");

    let inventory = layers.catalogue();
    assert_eq!(
        problems(&inventory),
        [
            (ProblemKind::Malformed, "app/node_modules/bad/package.json"),
            (
                ProblemKind::TooLarge,
                "app/node_modules/express/package.json"
            ),
            (ProblemKind::BadName, "app/node_modules/odd/package.json"),
            (
                ProblemKind::Malformed,
                &format!("{SITE}/empty-1.0.dist-info/METADATA")
            ),
            (
                ProblemKind::Contradiction,
                &format!("{SITE}/lie-1.0.dist-info/METADATA")
            ),
            (ProblemKind::BadName, "var/lib/dpkg/status.d/broken"),
        ]
    );
    assert!(!inventory.is_complete());
    let installed = purls(&inventory, Presence::Installed);
    assert!(installed.contains(&"pkg:pypi/flask@3.0.0"));
    assert!(installed.contains(&"pkg:pypi/other@2.0"));
    let text = serde_json::to_string(&inventory).expect("JSON");
    assert!(
        !text.contains('\u{1b}') && !text.contains("\\u001b"),
        "no control characters"
    );
    let written = written(&inventory);
    assert_eq!(
        written.cyclonedx["compositions"][0]["aggregate"],
        "incomplete"
    );
}

#[test]
fn what_there_is_too_much_of_is_cut_and_told() {
    let mut layers = Layers::new();
    let layer = layers.layer();
    for number in 0..50 {
        let text = format!("{{\"name\":\"p{number}\",\"version\":\"1.0.0\"}}");
        layer.put(&format!("node_modules/p{number}/package.json"), text);
    }
    let limits = Limits {
        packages: 10,
        ..Limits::default()
    };
    let inventory = layers.catalogue_within(&limits);
    assert_eq!(inventory.packages().len(), 10);
    assert!(
        problems(&inventory)
            .iter()
            .all(|(kind, _)| *kind == ProblemKind::TooMany)
    );
    assert!(!inventory.is_complete());
}

#[test]
fn a_layer_that_is_not_there_is_an_error() {
    let layers = [PathBuf::from("/nonexistent/layer")];
    let image = Image {
        layers: &layers,
        runtime: &[],
    };
    let error = catalogue(&image, &Limits::default()).expect_err("no layer");
    assert!(error.to_string().contains("/nonexistent/layer"));
    assert!(Path::new("/").is_dir(), "while others are there");
}

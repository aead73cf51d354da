//! What `cargo xtask bench supply sign` and `… log` measure: the rooms of signatures and of the store
//! as the daemon uses them, without a daemon around them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use attest::log::{Log, LogKey};
use attest::{KeyFolder, KeySigner, Trust};
use bytes::Bytes;
use model::attestation::{Artifact, Layout, PredicateType, Signed, Subject};
use model::{Digest, Timestamp};
use ports::{BlobStore, Signer};
use serde_json::{Value, json};
use store::registry::{Limits, Registry, RepositoryName};
use store::{DiskBlobs, SqliteLedger};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `sign FOLDER ROUNDS` signs and keeps as many releases; `log FOLDER ENTRIES` fills a log and
/// verifies it. Both keep all they need in the folder, and print JSON, a line a round.
#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let words: Vec<_> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["sign", folder, rounds] => sign(Path::new(folder), rounds.parse()?).await,
        ["log", folder, entries] => log(Path::new(folder), entries.parse()?),
        _ => bail!("sign FOLDER ROUNDS | log FOLDER ENTRIES"),
    }
}

async fn sign(folder: &Path, rounds: u64) -> Result<()> {
    let predicates = predicates();
    for (name, (_, predicate)) in ["signature", "provenance", "spdx", "cyclonedx"]
        .iter()
        .zip(&predicates)
    {
        fs::write(folder.join(format!("{name}.json")), predicate)?;
    }
    let desk = Desk::open(folder).await?;
    for round in 0..=rounds {
        let times = desk.release(round, &predicates).await?;
        // The first makes folders and warms caches.
        if round > 0 {
            println!("{}", json!({ "sign": times[0], "store": times[1] }));
        }
    }
    Ok(())
}

/// Where releases are signed and kept.
struct Desk {
    signer: KeySigner,
    blobs: Arc<dyn BlobStore>,
    registry: Registry,
    repository: RepositoryName,
}

impl Desk {
    async fn open(folder: &Path) -> Result<Self> {
        let keys = KeyFolder::open(&folder.join("keys"), Timestamp::now())?;
        let ledger = SqliteLedger::open(&folder.join("ledger.db")).await?;
        let blobs: Arc<dyn BlobStore> = Arc::new(DiskBlobs::open(&folder.join("blobs"))?);
        let uploads = folder.join("uploads");
        Ok(Self {
            signer: KeySigner::new(keys, Trust::default()),
            registry: Registry::open(&ledger, blobs.clone(), &uploads, Limits::default())?,
            blobs,
            repository: "releases/shop".parse()?,
        })
    }

    /// Signs a release, attests it and keeps all of it. Returns the seconds of both.
    async fn release(
        &self,
        number: u64,
        predicates: &[(PredicateType, Vec<u8>)],
    ) -> Result<[f64; 2]> {
        let manifest = json!({
            "schemaVersion": 2, "mediaType": attest::media_type::MANIFEST, "layers": [],
            "annotations": { "number": number.to_string() },
            "config": {
                "mediaType": attest::media_type::CONFIG, "size": 2,
                "digest": self.blobs.put(Bytes::from_static(b"{}")).await?,
            },
        });
        let manifest = manifest.to_string();
        self.blobs.put(manifest.clone().into()).await?;
        let subject = Subject {
            name: "127.0.0.1:7100/releases/shop".into(),
            digest: Digest::of(manifest.as_bytes()),
            media_type: attest::media_type::MANIFEST.into(),
            size_bytes: manifest.len() as u64,
        };
        let began = Instant::now();
        let mut signed = Vec::new();
        for (kind, predicate) in predicates {
            let now = Timestamp::now();
            let one = self
                .signer
                .sign(&subject, kind.clone(), predicate.clone(), now);
            signed.push(one.await?);
        }
        let mut artifacts = self.signer.lay_out(&subject, &signed)?;
        artifacts.retain(|artifact| artifact.layout != Layout::ReferrersTag);
        let sign = began.elapsed();
        self.keep(&subject.digest, &artifacts, &signed).await?;
        let both = began.elapsed();
        Ok([sign, both - sign].map(|time: Duration| time.as_secs_f64()))
    }

    /// As a run does: the documents are flushed together, what the registry shows is one flush and
    /// one commit. The log takes its entry afterwards, off a run's way.
    async fn keep(&self, image: &Digest, artifacts: &[Artifact], signed: &[Signed]) -> Result<()> {
        let documents = signed.iter().flat_map(|one| &one.documents);
        let texts = documents.map(|document| (None, Bytes::from(document.text.clone())));
        self.blobs.put_all(texts.collect()).await?;
        self.registry
            .publish(&self.repository, image, artifacts, &[])
            .await?;
        Ok(())
    }
}

/// An entry with the size of a stage's.
fn entry(evidence: &Digest) -> String {
    json!({
        "app": "shop", "at": "2026-01-01T00:00:00Z", "attempt": 1, "event": "stage_recorded",
        "evidence": evidence, "run": "0190", "stage": "sign",
    })
    .to_string()
}

/// Documents with the size of those of a Node or Python app on its base: 200 packages.
fn predicates() -> [(PredicateType, Vec<u8>); 4] {
    let packages: Vec<Value> = (0..200).map(spdx_package).collect();
    let relations: Vec<Value> = (0..200).map(spdx_relation).collect();
    let spdx = json!({
        "SPDXID": "SPDXRef-DOCUMENT", "spdxVersion": "SPDX-2.3", "name": "shop",
        "dataLicense": "CC0-1.0", "documentNamespace": "urn:mayfly:sbom:shop",
        "creationInfo": { "created": "2026-01-01T00:00:00Z", "creators": ["Tool: mayfly"] },
        "packages": packages, "relationships": relations,
    });
    let components: Vec<Value> = (0..200).map(component).collect();
    let cyclonedx = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components,
    });
    let dependencies: Vec<Value> = (0..200).map(dependency).collect();
    let provenance = json!({
        "buildDefinition": {
            "buildType": model::provenance::BUILD_TYPE, "externalParameters": {},
            "resolvedDependencies": dependencies,
        },
        "runDetails": { "builder": { "id": "urn:mayfly:builder:local" } },
    });
    [
        (PredicateType::Signature, json!({})),
        (PredicateType::Provenance, provenance),
        (PredicateType::Spdx, spdx),
        (PredicateType::CycloneDx, cyclonedx),
    ]
    .map(|(kind, predicate)| (kind, predicate.to_string().into_bytes()))
}

fn purl(number: u32) -> String {
    format!("pkg:deb/debian/lib-number-{number}@1.{number}.0-1?arch=amd64&distro=debian-13")
}

fn spdx_package(number: u32) -> Value {
    json!({
        "SPDXID": format!("SPDXRef-Package-{number}"), "name": format!("lib-number-{number}"),
        "versionInfo": format!("1.{number}.0-1"), "downloadLocation": "NOASSERTION",
        "licenseConcluded": "NOASSERTION", "licenseDeclared": "GPL-2.0-or-later AND MIT",
        "copyrightText": "NOASSERTION", "filesAnalyzed": false,
        "supplier": "Person: Somebody <somebody@example.org>",
        "externalRefs": [{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": purl(number),
        }],
    })
}

fn spdx_relation(number: u32) -> Value {
    json!({
        "spdxElementId": "SPDXRef-Image", "relationshipType": "CONTAINS",
        "relatedSpdxElement": format!("SPDXRef-Package-{number}"),
    })
}

fn component(number: u32) -> Value {
    json!({
        "type": "library", "bom-ref": purl(number), "name": format!("lib-number-{number}"),
        "version": format!("1.{number}.0-1"), "purl": purl(number),
        "licenses": [{ "expression": "GPL-2.0-or-later AND MIT" }],
    })
}

fn dependency(number: u32) -> Value {
    let digest = Digest::of(&number.to_be_bytes());
    json!({ "uri": purl(number), "digest": { "sha256": digest.hex() } })
}

/// How many entries one batch of the outbox has.
const BATCH: usize = 1_000;
/// How many are added one by one besides.
const ALONE: usize = 200;

fn log(folder: &Path, entries: usize) -> Result<()> {
    let key = LogKey::open(&folder.join("log.pem"))?;
    let digest = |number: usize| Digest::of(&number.to_be_bytes());
    let entries: Vec<_> = (0..entries + ALONE)
        .map(|one| entry(&digest(one)))
        .collect();
    let (batched, alone) = entries.split_at(entries.len() - ALONE);
    let mut log = Log::open(&folder.join("log"), key.clone())?;
    let append = timed(|| {
        for (number, batch) in batched.chunks(BATCH).enumerate() {
            log.append((number * BATCH) as u64, batch)?;
        }
        Ok(())
    })?;
    let one_by_one = timed(|| {
        for (number, one) in alone.iter().enumerate() {
            log.append((batched.len() + number) as u64, std::slice::from_ref(one))?;
        }
        Ok(())
    })?;
    drop(log);
    let log = Log::open(&folder.join("log"), key)?;
    let verify = timed(|| {
        let checkpoint = log.verify_all(&entries)?;
        ensure!(
            checkpoint.size == entries.len() as u64,
            "entries are missing"
        );
        Ok(())
    })?;
    // A verification that accepts everything takes no time at all.
    let mut rewritten = entries.clone();
    rewritten[entries.len() / 2].push(' ');
    ensure!(
        log.verify_all(&rewritten).is_err(),
        "a rewritten log verifies"
    );
    println!(
        "{}",
        json!({ "append": append, "one": one_by_one / ALONE as f64, "verify": verify })
    );
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed().as_secs_f64())
}

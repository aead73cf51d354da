//! A check of an app, from its files to its findings.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant};

use model::digest::Digest;

use crate::cache::{self, Cache};
use crate::finding::Maker;
use crate::report::{Report, Timing, Unread};
use crate::scan::{FileScan, Trouble};
use crate::settings::Settings;
use crate::sources::{Listed, Sources};
use crate::taint::{self, Outcome, Unit};
use crate::worker::{self, Job, StartError};
use crate::{auth, launch, rendered, route};

/// The analysis recurses as deep as code is nested, function by function.
const STACK_BYTES: usize = 512 << 20;

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// No worker could be started.
    #[error("the code of the app could not be read")]
    Worker(#[from] StartError),
    /// A worker answered what is no answer.
    #[error("the program that reads files answered with nonsense about `{file}`")]
    Answer {
        /// The file that it was asked about.
        file: String,
        /// What is wrong.
        #[source]
        cause: postcard::Error,
    },
    /// The analysis ended without a result.
    #[error("the analysis ended without a result")]
    Analysis,
    /// No thread could be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// A file and what is known of it.
pub(crate) struct Scanned {
    /// As it was listed.
    pub(crate) listed: Listed,
    /// What is known of it.
    pub(crate) scan: FileScan,
}

/// Looks at an app's files.
///
/// Fails only where nothing can be said; what could not be read of single files is a finding.
pub fn check(
    sources: &dyn Sources,
    settings: &Settings,
    cache: &dyn Cache,
) -> Result<Report, CheckError> {
    let began = Instant::now();
    let listed = sources.list();
    let files = listed.len();
    let (scanned, known) = scan_files(listed, sources, settings, cache)?;
    let mut timing = Timing::default();
    for one in &scanned {
        timing.patterns += one.scan.patterns;
        timing.texts += one.scan.texts;
        timing.lowering += one.scan.lowering;
    }
    let taint_began = Instant::now();
    let (outcome, units, mut scanned) = analyse(scanned)?;
    timing.taint = taint_began.elapsed();
    launch::weigh_debug_servers(&mut scanned, sources, settings);
    let mut maker = Maker::new(sources, &scanned);
    let routes = route::routes(&outcome.routes, &units, &mut maker);
    maker.add_raws(&scanned);
    maker.add_reaches(&outcome.reaches, &units);
    maker.add_stopped(&outcome.stopped, &units);
    rendered::add(&mut maker, &scanned, &outcome.renders, &units);
    auth::add(&mut maker, &routes, settings);
    let unread = unread(&scanned);
    let findings = maker.finish();
    timing.total = began.elapsed();
    Ok(Report {
        findings,
        routes,
        unread,
        files,
        known,
        timing,
    })
}

fn scan_files(
    listed: Vec<Listed>,
    sources: &dyn Sources,
    settings: &Settings,
    cache: &dyn Cache,
) -> Result<(Vec<Scanned>, usize), CheckError> {
    let mut scans: Vec<Option<FileScan>> = listed.iter().map(|_| None).collect();
    let mut keys: HashMap<usize, Digest> = HashMap::new();
    let mut jobs = Vec::new();
    let mut known = 0;
    for (index, file) in listed.iter().enumerate() {
        if is_private(file) {
            scans[index] = Some(FileScan::default());
            continue;
        }
        if file.size_bytes > settings.file_bytes {
            let troubles = vec![Trouble::TooLarge];
            scans[index] = Some(FileScan {
                troubles,
                ..FileScan::default()
            });
            continue;
        }
        if let Some(digest) = file.digest {
            let key = cache::key(&file.path, digest);
            let kept = cache
                .get(key)
                .and_then(|bytes| postcard::from_bytes::<FileScan>(&bytes).ok());
            if let Some(scan) = kept {
                known += 1;
                let (patterns, texts, lowering) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
                scans[index] = Some(FileScan {
                    patterns,
                    texts,
                    lowering,
                    ..scan
                });
                continue;
            }
            keys.insert(index, key);
        }
        jobs.push(Job {
            index,
            path: file.path.clone(),
        });
    }
    let answers = worker::scan_all(&jobs, settings, &|path| sources.read(path))?;
    for (index, bytes) in answers {
        let scan: FileScan = postcard::from_bytes(&bytes).map_err(|cause| CheckError::Answer {
            file: listed[index].path.clone(),
            cause,
        })?;
        // What a worker died of may be the machine's fault, and is tried again.
        let died =
            scan.troubles.contains(&Trouble::Died) || scan.troubles.contains(&Trouble::Unreadable);
        if let Some(key) = keys.get(&index).filter(|_| !died) {
            cache.put(*key, &bytes);
        }
        scans[index] = Some(scan);
    }
    let scanned = listed.into_iter().zip(scans);
    let scanned = scanned.map(|(listed, scan)| Scanned {
        listed,
        scan: scan.unwrap_or_default(),
    });
    Ok((scanned.collect(), known))
}

/// An `.env` that is no part of the history is where secrets belong.
fn is_private(file: &Listed) -> bool {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    model::snapshot::is_env_file(name) && file.is_tracked != Some(true)
}

/// Runs the analysis on a thread with a stack of its own.
fn analyse(mut scanned: Vec<Scanned>) -> Result<(Outcome, Vec<usize>, Vec<Scanned>), CheckError> {
    let mut units = Vec::new();
    let mut of = Vec::new();
    for (index, one) in scanned.iter_mut().enumerate() {
        if let Some(module) = one.scan.module.take() {
            units.push(Unit {
                path: one.listed.path.clone(),
                module,
            });
            of.push(index);
        }
    }
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    let running = thread
        .spawn(move || taint::analyse(units))
        .map_err(CheckError::Thread)?;
    let outcome = running.join().map_err(|_| CheckError::Analysis)?;
    Ok((outcome, of, scanned))
}

fn unread(scanned: &[Scanned]) -> Vec<Unread> {
    let mut unread = Vec::new();
    for one in scanned {
        for trouble in &one.scan.troubles {
            let reason = trouble.reason();
            unread.push(Unread {
                file: one.listed.path.clone(),
                reason,
            });
        }
    }
    unread
}

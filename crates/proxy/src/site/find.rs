//! Finds and opens a site's files.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};

use ports::traffic::SiteFiles;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use sha2::{Digest, Sha256};

use super::negotiate::Encoding;
use super::path::SitePath;

/// Files whose hash is remembered, at most; then all are forgotten.
const MOST_FACTS: usize = 4096;
/// Files up to this size are hashed at once, larger ones on another thread.
const HASHED_AT_ONCE: u64 = 1 << 20;
/// How often an open is repeated that a rename disturbed (openat2(2), EAGAIN).
const TRIES: usize = 8;

/// The folder of a site.
pub(crate) struct SiteRoot {
    /// What it was opened from.
    pub(crate) files: SiteFiles,
    folder: OwnedFd,
    facts: Mutex<HashMap<String, Facts>>,
}

/// What is remembered about a file while it stays the same.
#[derive(Clone)]
struct Facts {
    stamp: Stamp,
    tag: Arc<str>,
    beside: [bool; Encoding::ALL.len()],
}

/// Changes whenever a file's content does.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

/// An open file.
pub(crate) struct Found {
    /// Itself.
    pub(crate) file: File,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Beneath the folder; its type is seen from it.
    pub(crate) name: String,
    /// Names its content (RFC 9110, 8.8.3), in quotes.
    pub(crate) tag: Arc<str>,
    /// How it is compressed.
    pub(crate) encoding: Option<Encoding>,
    /// Whether other clients get another form of it.
    pub(crate) varies: bool,
}

/// What a path names.
pub(crate) enum Named {
    /// A file.
    File(File, String),
    /// A folder that has a page; it is found with a slash.
    Folder,
    /// Nothing.
    Nothing,
}

impl SiteRoot {
    /// Opens the folder.
    pub(crate) fn open(files: SiteFiles) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            folder: openat(CWD, &files.root, flags, Mode::empty())?,
            files,
            facts: Mutex::default(),
        })
    }

    /// What a path names, by the rules of static sites: `/` is the index page, a folder its
    /// `index.html`, and `about` is `about.html` when there is no such file.
    pub(crate) fn named(&self, path: &SitePath) -> io::Result<Named> {
        if path.relative.is_empty() {
            let index = self.files.site.index.as_deref();
            return self.file_or_nothing(index.unwrap_or("index.html").to_owned());
        }
        if path.folder {
            return self.file_or_nothing(path.join("index.html"));
        }
        if let Some(file) = self.regular(&path.relative)? {
            return Ok(Named::File(file, path.relative.clone()));
        }
        if self.regular(&path.join("index.html"))?.is_some() {
            return Ok(Named::Folder);
        }
        self.file_or_nothing(format!("{}.html", path.relative))
    }

    fn file_or_nothing(&self, name: String) -> io::Result<Named> {
        Ok(match self.regular(&name)? {
            Some(file) => Named::File(file, name),
            None => Named::Nothing,
        })
    }

    /// A page of the site by its name, when it has it.
    pub(crate) fn page(&self, name: &str) -> io::Result<Option<File>> {
        self.regular(name)
    }

    /// The file in the best form that `accept_encoding` allows.
    pub(crate) async fn represent(
        &self,
        file: File,
        name: String,
        accept_encoding: Option<&str>,
    ) -> io::Result<Found> {
        let facts = self.facts(&file, &name).await?;
        let varies = facts.beside.contains(&true);
        for (encoding, there) in Encoding::ALL.into_iter().zip(facts.beside) {
            let wanted =
                there && accept_encoding.is_some_and(|header| encoding.is_accepted(header));
            if wanted && let Some(found) = self.compressed(&name, encoding).await? {
                return Ok(found);
            }
        }
        Ok(Found {
            size: facts.stamp.size,
            tag: facts.tag,
            file,
            name,
            encoding: None,
            varies,
        })
    }

    async fn compressed(&self, name: &str, encoding: Encoding) -> io::Result<Option<Found>> {
        let beside = format!("{name}{}", encoding.suffix());
        let Some(file) = self.regular(&beside)? else {
            return Ok(None);
        };
        let facts = self.facts(&file, &beside).await?;
        Ok(Some(Found {
            size: facts.stamp.size,
            tag: facts.tag,
            file,
            name: name.to_owned(),
            encoding: Some(encoding),
            varies: true,
        }))
    }

    async fn facts(&self, file: &File, name: &str) -> io::Result<Facts> {
        let stamp = Stamp::of(file)?;
        let remembered = self.remembered().get(name).cloned();
        if let Some(facts) = remembered.filter(|facts| facts.stamp == stamp) {
            return Ok(facts);
        }
        let tag = match stamp.size <= HASHED_AT_ONCE {
            true => tag_of(file.try_clone()?)?,
            false => {
                let file = file.try_clone()?;
                let hashed = tokio::task::spawn_blocking(move || tag_of(file)).await;
                hashed.map_err(io::Error::other)??
            }
        };
        let beside = self.beside(name)?;
        let facts = Facts { stamp, tag, beside };
        let mut remembered = self.remembered();
        if remembered.len() >= MOST_FACTS {
            remembered.clear();
        }
        remembered.insert(name.to_owned(), facts.clone());
        Ok(facts)
    }

    fn beside(&self, name: &str) -> io::Result<[bool; Encoding::ALL.len()]> {
        let mut beside = [false; Encoding::ALL.len()];
        for (encoding, there) in Encoding::ALL.into_iter().zip(&mut beside) {
            let file = self.regular(&format!("{name}{}", encoding.suffix()))?;
            *there = file.is_some();
        }
        Ok(beside)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<String, Facts>> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a regular file beneath the folder. What leads out of it does not exist.
    fn regular(&self, name: &str) -> io::Result<Option<File>> {
        use rustix::io::Errno;
        // Without O_NONBLOCK a FIFO in the folder would stop the worker.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        for _ in 0..TRIES {
            match openat2(self.folder.as_fd(), name, flags, Mode::empty(), beneath) {
                Ok(opened) => {
                    let file = File::from(opened);
                    return Ok(file.metadata()?.is_file().then_some(file));
                }
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(
                    Errno::NOENT
                    | Errno::NOTDIR
                    | Errno::XDEV
                    | Errno::LOOP
                    | Errno::NAMETOOLONG
                    | Errno::ACCESS
                    | Errno::NXIO
                    | Errno::NODEV,
                ) => return Ok(None),
                Err(cause) => return Err(cause.into()),
            }
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        let about = file.metadata()?;
        Ok(Self {
            device: about.dev(),
            inode: about.ino(),
            size: about.size(),
            changed: (about.ctime(), about.ctime_nsec()),
        })
    }
}

/// The first half of the content's SHA-256, in quotes. It names the content, so a release that
/// did not change a file does not make browsers load it again.
fn tag_of(mut file: File) -> io::Result<Arc<str>> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => hash.update(&piece[..read]),
        }
    }
    let hex: String = hash.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(format!("\"{hex}\"").into())
}

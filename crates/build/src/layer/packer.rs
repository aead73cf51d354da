//! Makes layers: the blob in the store and the folder on the shelf, in one pass.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use model::Digest;
use model::image::{Layer, LayerKind};
use model::snapshot::Mode;
use ports::BlobStore;
use sha2::{Digest as _, Sha256};

use super::gzip::{Compressed, CompressedBytes, GzipStream};
use super::place::Place;
use super::shelf::{Scratch, Shelf};
use super::tar_stream::{TarStream, copy_exactly};
use super::tree::{Content, Node, Tree};
use super::unpack::{UnpackError, UnpackLimits, unpack_tar};
use super::{LayerError, normalise};

/// A layer and where it is unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedLayer {
    /// The layer; its blob is in the store.
    pub layer: Layer,
    /// Its files; read-only by agreement.
    pub dir: PathBuf,
}

/// Makes layers, and finds those that were made before.
#[derive(Clone)]
pub struct Packer {
    blobs: Arc<dyn BlobStore>,
    shelf: Shelf,
}

/// A layer that is written but not kept yet.
struct Draft {
    folder: Scratch,
    /// Holds the compressed file when there is one.
    _work: Scratch,
    compressed: Compressed,
    unpacked_bytes: u64,
}

impl Packer {
    /// Packs into `blobs`, and unpacks on `shelf`.
    pub fn new(blobs: Arc<dyn BlobStore>, shelf: Shelf) -> Self {
        Self { blobs, shelf }
    }

    /// The shelf.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// A new empty folder that [`Packer::adopt`] can make a layer of.
    pub fn scratch(&self) -> Result<Scratch, LayerError> {
        self.shelf.scratch()
    }

    /// Makes a layer of a list of files. Files are copied; the same list gives the same layer.
    pub async fn pack(&self, kind: LayerKind, tree: Tree) -> Result<PackedLayer, LayerError> {
        let shelf = self.shelf.clone();
        let draft = blocking(move || draft_of_tree(&shelf, tree)).await?;
        self.keep(kind, draft).await
    }

    /// Makes a layer of a folder that a build command wrote, and moves it to the shelf. The
    /// folder's root becomes the image's root.
    pub async fn adopt(&self, kind: LayerKind, folder: Scratch) -> Result<PackedLayer, LayerError> {
        let shelf = self.shelf.clone();
        let draft = blocking(move || draft_of_folder(&shelf, folder)).await?;
        self.keep(kind, draft).await
    }

    /// The layer that a build with inputs of digest `key` made, when it is still there; unpacks it
    /// when only its blob is left.
    pub async fn recall(&self, key: &Digest) -> Option<PackedLayer> {
        let layer = self.shelf.recall(key)?;
        let missing = self.blobs.missing(&[layer.digest]).await.ok()?;
        if missing.is_empty() {
            let dir = self.unpacked(&layer).await.ok()?;
            return Some(PackedLayer { layer, dir });
        }
        // What only builds need is in no image, so that nothing holds its blob.
        let dir = self.shelf.find(&layer.diff_id)?;
        self.pack_again(&layer, dir.clone()).await.ok()?;
        Some(PackedLayer { layer, dir })
    }

    /// Makes a layer's blob of its folder once more.
    async fn pack_again(&self, layer: &Layer, dir: PathBuf) -> Result<(), LayerError> {
        let shelf = self.shelf.clone();
        let draft = blocking(move || {
            let mut tree = Tree::new();
            tree.add_folder(&dir, "")?;
            write_draft(&shelf, tree, shelf.scratch()?, None)
        });
        let draft = draft.await?;
        if draft.compressed.digest != layer.digest {
            return Err(UnpackError::WrongContent.into());
        }
        self.keep_blob(draft.compressed).await
    }

    async fn keep_blob(&self, compressed: Compressed) -> Result<(), LayerError> {
        match compressed.bytes {
            CompressedBytes::Memory(bytes) => {
                self.blobs.put(Bytes::from(bytes)).await?;
            }
            CompressedBytes::File(file) => self.blobs.put_file(&file, compressed.digest).await?,
        }
        Ok(())
    }

    /// Notes that a build with inputs of digest `key` makes this layer.
    pub fn remember(&self, key: &Digest, layer: &PackedLayer) -> Result<(), LayerError> {
        self.shelf.remember(key, &layer.layer)
    }

    /// Forgets the inputs of layers that are gone for good, so that their notes do not pile up. One
    /// that is not unpacked, but whose blob is there, can be had again.
    pub(crate) async fn forget_lost(&self) -> Result<(), LayerError> {
        let shelf = self.shelf.clone();
        let lost = blocking(move || shelf.lost()).await?;
        let blobs: Vec<Digest> = lost
            .iter()
            .filter_map(|(_, layer)| Some(layer.as_ref()?.digest))
            .collect();
        let missing: HashSet<Digest> = self.blobs.missing(&blobs).await?.into_iter().collect();
        for (note, layer) in lost {
            if layer.is_none_or(|layer| missing.contains(&layer.digest)) {
                self.shelf.forget(&note)?;
            }
        }
        Ok(())
    }

    /// Where the layer is unpacked; unpacks it from its blob when the shelf has lost it.
    pub async fn unpacked(&self, layer: &Layer) -> Result<PathBuf, LayerError> {
        if let Some(dir) = self.shelf.find(&layer.diff_id) {
            return Ok(dir);
        }
        let blob: Box<dyn Read + Send> = match self.blobs.local_path(&layer.digest).await? {
            Some(path) => Box::new(File::open(&path).map_err(LayerError::at(path))?),
            None => Box::new(io::Cursor::new(self.blobs.get(&layer.digest).await?)),
        };
        let (shelf, layer) = (self.shelf.clone(), layer.clone());
        blocking(move || unpack_blob(&shelf, &layer, blob)).await
    }

    async fn keep(&self, kind: LayerKind, draft: Draft) -> Result<PackedLayer, LayerError> {
        let Compressed {
            diff_id,
            digest,
            size_bytes,
            ..
        } = draft.compressed;
        self.keep_blob(draft.compressed).await?;
        let dir = self
            .shelf
            .place(&diff_id, draft.folder, draft.unpacked_bytes)?;
        let layer = Layer {
            kind,
            digest,
            diff_id,
            size_bytes,
        };
        Ok(PackedLayer { layer, dir })
    }
}

/// Runs slow work where it does not hold up the runtime.
pub(crate) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<LayerError> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(LayerError::Worker.into()))
}

fn draft_of_tree(shelf: &Shelf, tree: Tree) -> Result<Draft, LayerError> {
    let folder = shelf.scratch()?;
    let place = Place::new(folder.path());
    let draft = write_draft(shelf, tree, folder, Some(&place))?;
    place.finish()?;
    Ok(draft)
}

fn draft_of_folder(shelf: &Shelf, folder: Scratch) -> Result<Draft, LayerError> {
    normalise(folder.path())?;
    let mut tree = Tree::new();
    tree.add_folder(folder.path(), "")?;
    write_draft(shelf, tree, folder, None)
}

/// Writes the archive, and the folder too when there is a place for it.
fn write_draft(
    shelf: &Shelf,
    tree: Tree,
    folder: Scratch,
    place: Option<&Place>,
) -> Result<Draft, LayerError> {
    let work = shelf.scratch()?;
    let mut writer = LayerWriter {
        stream: TarStream::new(GzipStream::new(work.path().join("blob"))),
        place,
        unpacked_bytes: 0,
    };
    for (path, node) in tree.into_sorted()? {
        writer.node(&path, node)?;
    }
    let done = writer.stream.finish().and_then(GzipStream::finish);
    Ok(Draft {
        compressed: done.map_err(LayerError::at(work.path()))?,
        unpacked_bytes: writer.unpacked_bytes,
        folder,
        _work: work,
    })
}

struct LayerWriter<'a> {
    stream: TarStream<GzipStream>,
    place: Option<&'a Place>,
    unpacked_bytes: u64,
}

impl LayerWriter<'_> {
    fn node(&mut self, path: &str, node: Node) -> Result<(), LayerError> {
        match node {
            Node::Folder => {
                self.stream.folder(path).map_err(LayerError::at(path))?;
                self.place.map_or(Ok(()), |place| place.folder(path))?;
            }
            Node::Link(target) => {
                let written = self.stream.link(path, &target);
                written.map_err(LayerError::at(path))?;
                self.place
                    .map_or(Ok(()), |place| place.link(path, &target))?;
            }
            Node::File(Content::Bytes(bytes), mode) => {
                self.file(path, mode, &bytes[..], bytes.len() as u64)
                    .map_err(LayerError::at(path))??;
            }
            Node::File(Content::File(from), mode) => self.file_of_machine(path, mode, from)?,
        }
        Ok(())
    }

    fn file_of_machine(&mut self, path: &str, mode: Mode, from: PathBuf) -> Result<(), LayerError> {
        let open = || {
            let no_follow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
            let file = File::options()
                .read(true)
                .custom_flags(no_follow)
                .open(&from)?;
            let size_bytes = file.metadata()?.len();
            Ok((file, size_bytes))
        };
        let (file, size_bytes) = open().map_err(LayerError::at(&from))?;
        let written = self.file(path, mode, file, size_bytes);
        written.map_err(LayerError::at(from))?
    }

    /// The outer error is about reading, the inner one about placing.
    fn file(
        &mut self,
        path: &str,
        mode: Mode,
        from: impl Read,
        size_bytes: u64,
    ) -> io::Result<Result<(), LayerError>> {
        let mut copy = match self.place.map(|place| place.file(path, mode)).transpose() {
            Ok(copy) => copy,
            Err(error) => return Ok(Err(error.into())),
        };
        self.stream.file(path, mode, size_bytes)?;
        copy_exactly(from, size_bytes, |piece| {
            if let Some(copy) = &mut copy {
                copy.write_all(piece)?;
            }
            self.stream.content(piece)
        })?;
        self.stream.end_file(size_bytes)?;
        self.unpacked_bytes += size_bytes;
        let sealed = match (self.place, &copy) {
            (Some(place), Some(copy)) => place.seal(copy, path),
            _ => Ok(()),
        };
        Ok(sealed.map_err(LayerError::from))
    }
}

fn unpack_blob(shelf: &Shelf, layer: &Layer, blob: impl Read) -> Result<PathBuf, LayerError> {
    let folder = shelf.scratch()?;
    let place = Place::new(folder.path());
    let mut tar = Hashing {
        from: flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(256 * 1024, blob)),
        hash: Sha256::new(),
        size_bytes: 0,
    };
    unpack_tar(&mut tar, &place, UnpackLimits::default(), |path| {
        Some(path.to_owned())
    })?;
    // What follows the last entry is part of the identity too.
    io::copy(&mut tar, &mut io::sink()).map_err(LayerError::at(folder.path()))?;
    place.finish()?;
    let actual = Digest::from_bytes(tar.hash.finalize().into());
    shelf.place_unpacked(layer, &actual, folder, tar.size_bytes)
}

/// Hashes what is read through it.
struct Hashing<R> {
    from: R,
    hash: Sha256,
    size_bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.hash.update(&into[..read]);
        self.size_bytes += read as u64;
        Ok(read)
    }
}

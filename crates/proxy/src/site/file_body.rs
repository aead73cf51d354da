//! Streams a part of a large file.

use std::fs::File;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use ports::traffic::Ending;
use tokio::task::JoinHandle;

use crate::lane::Flight;

/// How much is read at once; the disk is waited for on another thread.
const PIECE: u64 = 256 << 10;

/// A part of a file on its way to a client.
pub(crate) struct FileBody {
    file: Arc<File>,
    at: u64,
    left: u64,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
    flight: Option<Flight>,
}

impl FileBody {
    /// These bytes of `file`.
    pub(crate) fn new(file: File, part: Range<u64>) -> Self {
        Self {
            file: Arc::new(file),
            at: part.start,
            left: part.end.saturating_sub(part.start),
            reading: None,
            flight: None,
        }
    }

    /// Lets the body's end be the request's end.
    pub(crate) fn carry(&mut self, flight: Flight) {
        self.flight = Some(flight);
    }

    /// How many bytes follow.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The next piece.
    pub(crate) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.flight.as_ref().is_some_and(Flight::is_cut) {
            return Poll::Ready(Some(Err(
                self.broke(io::ErrorKind::ConnectionAborted.into())
            )));
        }
        let (file, at, bytes) = (&self.file, self.at, self.left.min(PIECE));
        let reading = self.reading.get_or_insert_with(|| {
            let file = Arc::clone(file);
            tokio::task::spawn_blocking(move || read(&file, at, bytes))
        });
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let read = read.map_err(io::Error::other).flatten();
        Poll::Ready(Some(match read {
            Ok(piece) => Ok(self.passed(piece)),
            Err(cause) => Err(self.broke(cause)),
        }))
    }

    fn passed(&mut self, piece: Bytes) -> Frame<Bytes> {
        self.at += piece.len() as u64;
        self.left -= piece.len() as u64;
        if self.left == 0 {
            self.end(Ending::Complete);
        }
        Frame::data(piece)
    }

    fn broke(&mut self, cause: io::Error) -> io::Error {
        self.end(Ending::UpstreamBroke);
        cause
    }

    fn end(&mut self, ending: Ending) {
        if let Some(flight) = self.flight.take() {
            flight.end(ending);
        }
    }
}

/// Exactly these bytes; a file that is shorter than it was is an error.
pub(crate) fn read(file: &File, at: u64, bytes: u64) -> io::Result<Bytes> {
    let size = usize::try_from(bytes).map_err(io::Error::other)?;
    let mut piece = vec![0; size];
    file.read_exact_at(&mut piece, at)?;
    Ok(piece.into())
}

//! Connections that have left HTTP: WebSockets, passed on in both directions.

use std::io;
use std::time::Duration;

use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use ports::traffic::Ending;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::timeout;

use crate::connection::Stay;
use crate::frames::Frames;
use crate::lane::Flight;

/// How much is passed on at once.
const PIECE: usize = 16 << 10;
/// How long one side may go on after the other has ended.
const HALF_OPEN: Duration = Duration::from_secs(10);
/// How long a frame that is under way may take when a drain ends the tunnel.
const LAST_FRAME: Duration = Duration::from_millis(800);
/// How long a client may take to close its side after that: closing before would reset the
/// connection, and a reset may overtake the close frame.
const LAST_WORDS: Duration = Duration::from_millis(800);
/// A close frame from a server: 1001, going away (RFC 6455, 7.4.1).
const GOING_AWAY: [u8; 4] = [0x88, 2, 0x03, 0xe9];
/// The same from a client, masked with zeros.
const GOING_AWAY_MASKED: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9];

/// What a tunnel carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// WebSocket: it can be told that it ends.
    WebSocket,
    /// Something else.
    Other,
}

impl Protocol {
    /// Reads the value of an `Upgrade` header.
    pub(crate) fn named(upgrade: &[u8]) -> Self {
        match upgrade.eq_ignore_ascii_case(b"websocket") {
            true => Self::WebSocket,
            false => Self::Other,
        }
    }
}

/// Both ends of a tunnel, once their connections have left HTTP.
pub(crate) struct Ends {
    /// The client's.
    pub(crate) client: OnUpgrade,
    /// The server's.
    pub(crate) server: OnUpgrade,
    /// What passes between them.
    pub(crate) protocol: Protocol,
}

/// Passes bytes on until both sides have ended or a drain ends the tunnel.
pub(crate) async fn run(flight: Flight, ends: Ends, _stay: Stay) {
    let ending = match tokio::join!(ends.client, ends.server) {
        (Ok(client), Ok(server)) => pass(&flight, client, server, ends.protocol).await,
        (Err(_), _) => Ending::ClientGone,
        (_, Err(_)) => Ending::UpstreamBroke,
    };
    flight.end(ending);
}

async fn pass(flight: &Flight, client: Upgraded, server: Upgraded, protocol: Protocol) -> Ending {
    let (client_in, client_out) = split(TokioIo::new(client));
    let (server_in, server_out) = split(TokioIo::new(server));
    let mut up = Direction::new(client_in, server_out);
    let mut down = Direction::new(server_in, client_out);
    let ended = tokio::select! {
        ended = both(&mut up, &mut down) => Some(ended),
        () = flight.cut() => None,
    };
    match ended {
        Some(ending) => ending,
        None => {
            end_in_order(&mut up, &mut down, protocol).await;
            Ending::Complete
        }
    }
}

/// Passes on until one side has ended, and the other soon after.
async fn both(up: &mut Side, down: &mut Side) -> Ending {
    let (first, ending) = tokio::select! {
        ended = up.pass() => (ended, Ending::ClientGone),
        ended = down.pass() => (ended, Ending::UpstreamBroke),
    };
    if first.is_err() {
        return ending;
    }
    // The direction that has ended ends again at once.
    let rest = async { tokio::join!(up.pass(), down.pass()) };
    let _ = timeout(HALF_OPEN, rest).await;
    Ending::Complete
}

/// Says goodbye to both sides, between two frames, and closes without a reset.
async fn end_in_order(up: &mut Side, down: &mut Side, protocol: Protocol) {
    let _ = timeout(LAST_FRAME, down.flush(protocol)).await;
    let _ = timeout(LAST_FRAME, up.flush(protocol)).await;
    if protocol == Protocol::WebSocket {
        down.say(&GOING_AWAY).await;
        up.say(&GOING_AWAY_MASKED).await;
    }
    let _ = down.to.shutdown().await;
    let _ = up.to.shutdown().await;
    let _ = timeout(LAST_WORDS, up.discard()).await;
}

type Side = Direction<ReadHalf<TokioIo<Upgraded>>, WriteHalf<TokioIo<Upgraded>>>;

/// One direction. Each step can be cancelled without losing a byte.
struct Direction<R, W> {
    from: R,
    to: W,
    piece: Box<[u8]>,
    at: usize,
    end: usize,
    frames: Frames,
    over: bool,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Direction<R, W> {
    fn new(from: R, to: W) -> Self {
        Self {
            from,
            to,
            piece: vec![0; PIECE].into(),
            at: 0,
            end: 0,
            frames: Frames::default(),
            over: false,
        }
    }

    /// Passes on until the side that it comes from has ended, and ends the other.
    async fn pass(&mut self) -> io::Result<()> {
        while !self.over {
            self.step().await?;
        }
        Ok(())
    }

    async fn step(&mut self) -> io::Result<()> {
        if self.at < self.end {
            return self.write().await;
        }
        let read = self.from.read(&mut self.piece).await?;
        (self.at, self.end) = (0, read);
        if read == 0 {
            self.over = true;
            self.to.shutdown().await?;
        }
        Ok(())
    }

    async fn write(&mut self) -> io::Result<()> {
        let written = self.to.write(&self.piece[self.at..self.end]).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.frames.see(&self.piece[self.at..self.at + written]);
        self.at += written;
        Ok(())
    }

    /// Writes what was read and, of a WebSocket, the rest of a frame that has begun.
    async fn flush(&mut self, protocol: Protocol) -> io::Result<()> {
        while self.at < self.end {
            self.write().await?;
        }
        let unfinished = |frames: &Frames| !frames.takes_close() && !frames.is_closed();
        while protocol == Protocol::WebSocket && !self.over && unfinished(&self.frames) {
            self.step().await?;
        }
        Ok(())
    }

    /// Puts a frame in where one may stand.
    async fn say(&mut self, frame: &[u8]) {
        if self.at == self.end && self.frames.takes_close() {
            let _ = timeout(LAST_FRAME, self.to.write_all(frame)).await;
        }
    }

    /// Reads to the end.
    async fn discard(&mut self) -> io::Result<()> {
        while self.from.read(&mut self.piece).await? > 0 {}
        Ok(())
    }
}

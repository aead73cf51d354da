//! Telling a starter that the daemon is ready, in systemd's manner (sd_notify(3)): a datagram of
//! `NAME=value` lines to the socket that `$NOTIFY_SOCKET` names. `mayfly up` listens as systemd
//! does.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{SystemTime, UNIX_EPOCH};

use model::failure::Failure;

/// The variable that names the socket; a leading `@` stands for an abstract one.
pub(crate) const VARIABLE: &str = "NOTIFY_SOCKET";
const READY: &str = "READY=1";
const FAILURE: &str = "X_MAYFLY_FAILURE=";

/// What a daemon tells its starter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// It takes requests.
    Ready,
    /// It ends.
    Failed(Box<Failure>),
}

impl News {
    fn to_text(&self) -> String {
        match self {
            Self::Ready => READY.to_owned(),
            Self::Failed(failure) => {
                let failure = serde_json::to_string(failure).unwrap_or_default();
                format!("{FAILURE}{failure}")
            }
        }
    }

    /// Reads a datagram; `None` when it says something else.
    pub(crate) fn parse(datagram: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(datagram).ok()?;
        text.lines()
            .find_map(|line| match line.strip_prefix(FAILURE) {
                Some(failure) => serde_json::from_str(failure).ok().map(Self::Failed),
                None => (line == READY).then_some(Self::Ready),
            })
    }
}

/// Where news are sent; nowhere when nobody asked for them.
#[derive(Debug, Clone)]
pub(crate) struct Starter(Option<SocketAddr>);

impl Starter {
    /// Takes the address from the environment, so that no app inherits it.
    ///
    /// # Safety
    /// No other thread may run.
    pub(crate) unsafe fn take_from_environment() -> Self {
        let address = std::env::var(VARIABLE)
            .ok()
            .and_then(|name| address(&name).ok());
        // SAFETY: the caller says that this is the only thread.
        unsafe { std::env::remove_var(VARIABLE) };
        Self(address)
    }

    /// Sends `news`. A starter that is gone does not matter.
    pub(crate) fn tell(&self, news: &News) {
        if let Some(address) = &self.0 {
            let sent = UnixDatagram::unbound()
                .and_then(|socket| socket.send_to_addr(news.to_text().as_bytes(), address));
            drop(sent);
        }
    }
}

/// A socket for one daemon's news, and what its `$NOTIFY_SOCKET` has to be.
pub(crate) fn listen() -> io::Result<(UnixDatagram, String)> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let name = format!("@mayfly-start-{}-{}", std::process::id(), now.as_nanos());
    let socket = UnixDatagram::bind_addr(&address(&name)?)?;
    Ok((socket, name))
}

fn address(name: &str) -> io::Result<SocketAddr> {
    match name.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::failure::FailureCode;

    #[test]
    fn news_arrive_as_they_were_sent() {
        let failure = Failure::new(FailureCode::InUse, "port 80 is in use").because("a\nb");
        for news in [News::Ready, News::Failed(Box::new(failure))] {
            let (socket, name) = listen().expect("a socket");
            Starter(Some(address(&name).expect("an address"))).tell(&news);
            let mut buffer = [0; 4096];
            let size = socket.recv(&mut buffer).expect("a datagram");
            assert_eq!(News::parse(&buffer[..size]), Some(news));
        }
    }

    #[test]
    fn other_datagrams_are_no_news() {
        for text in ["", "STATUS=busy", "READY=0", "X_MAYFLY_FAILURE={"] {
            assert_eq!(News::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(News::parse(b"STATUS=up\nREADY=1\n"), Some(News::Ready));
    }
}

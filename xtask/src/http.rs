//! A user's side: one request on a fresh connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// A user who waits longer has gone.
const PATIENCE: Duration = Duration::from_secs(120);

/// Asks for `/` until it is answered with 200 and `text`. Returns when that was.
pub fn await_text(address: SocketAddr, text: &str) -> Result<Instant> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = get(address, "/").unwrap_or_default();
        if is_ok(&answer) && answer.contains(text) {
            return Ok(Instant::now());
        }
        if Instant::now() > deadline {
            bail!("{address} did not say `{text}` within {PATIENCE:?}; it said:\n{answer}");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether an answer's status is 200.
pub fn is_ok(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200")
}

/// One answer, whole, its head included. An address that nobody listens on gives an error at once.
pub fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The address in `http://127.0.0.1:8080`.
pub fn address_of(url: &str) -> Result<SocketAddr> {
    let rest = url
        .strip_prefix("http://")
        .with_context(|| format!("`{url}` is no local URL"))?;
    let address = rest.trim_end_matches('/').parse();
    address.with_context(|| format!("`{url}` has no address"))
}

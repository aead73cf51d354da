//! Talks to a server over a WebSocket, as a browser's page would (RFC 6455).

use std::io::{self, ErrorKind};
use std::time::Duration;

use ports::runtime::Upstream;
use ports::traffic::Talk;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::dial;
use crate::instance::Instance;

/// The caller's limit ends it; this one only has to be longer.
const CONNECT: Duration = Duration::from_secs(600);
/// The largest head and the largest message that are read.
const HEAD_BYTES: usize = 16 << 10;
const MESSAGE_BYTES: u64 = 32 << 20;
/// Section 1.3: any sixteen bytes, in Base64. Nothing secret depends on them here.
const KEY: &str = "bWF5Zmx5LXJlYWRpbmVzcw==";
/// Section 5.3: what a client sends is masked; zeroes leave it readable.
const MASK: [u8; 4] = [0; 4];
/// Section 5.2: a final frame with binary data.
const BINARY: u8 = 0x82;

/// Opens the WebSocket, says what there is to say, and reads until the message that ends it.
pub(crate) async fn hold(upstream: &Upstream, talk: &Talk<'_>, host: &str) -> io::Result<()> {
    let mut stream = dial::connect(&Instance::new(upstream.clone()), CONNECT).await?;
    open(&mut stream, talk, host).await?;
    stream.write_all(&frame(talk.says)?).await?;
    while message(&mut stream).await? != talk.until {}
    Ok(())
}

async fn open(stream: &mut TcpStream, talk: &Talk<'_>, host: &str) -> io::Result<()> {
    let head = format!(
        "GET {} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: {}\r\n\r\n",
        talk.path, talk.subprotocol
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == HEAD_BYTES {
            return Err(ErrorKind::InvalidData.into());
        }
        answer.push(stream.read_u8().await?);
    }
    match answer.starts_with(b"HTTP/1.1 101 ") {
        true => Ok(()),
        false => Err(ErrorKind::ConnectionRefused.into()),
    }
}

/// One short message as a frame.
fn frame(says: &[u8]) -> io::Result<Vec<u8>> {
    let length = u8::try_from(says.len()).ok().filter(|length| *length < 126);
    let length = length.ok_or(ErrorKind::InvalidInput)?;
    Ok([&[BINARY, 0x80 | length], &MASK[..], says].concat())
}

/// The payload of the next frame.
async fn message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let _kind = stream.read_u8().await?;
    let length = match stream.read_u8().await? & 0x7f {
        126 => u64::from(stream.read_u16().await?),
        127 => stream.read_u64().await?,
        short => u64::from(short),
    };
    if length > MESSAGE_BYTES {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut payload = Vec::new();
    stream.take(length).read_to_end(&mut payload).await?;
    match payload.len() as u64 == length {
        true => Ok(payload),
        false => Err(ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_fits_in_a_masked_frame() {
        assert_eq!(
            frame(&[0x5a, 0]).expect("a short message"),
            [0x82, 0x82, 0, 0, 0, 0, 0x5a, 0]
        );
        assert!(frame(&[0; 126]).is_err());
    }
}

//! Asks a target that receives no traffic, in the way that requests would reach it.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HOST, USER_AGENT};
use http::{Request, Uri};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use ports::runtime::Upstream;
use ports::traffic::Target;

use crate::dial;
use crate::instance::Instance;
use crate::site::SiteRoot;

/// Who asks.
const AGENT: &str = concat!("mayfly/", env!("CARGO_PKG_VERSION"), " (readiness)");
/// The caller's limit ends it; this one only has to be longer.
const CONNECT: Duration = Duration::from_secs(600);

/// The status of `path`: the server's when there is one, else the site's.
pub(crate) async fn ask(target: &Target, path: &str, host: &str) -> io::Result<u16> {
    let invalid = |cause| io::Error::new(io::ErrorKind::InvalidInput, cause);
    let uri: Uri = path
        .parse()
        .map_err(|cause: http::uri::InvalidUri| invalid(cause.to_string()))?;
    match (&target.upstream, &target.site) {
        (Some(upstream), _) => ask_server(upstream, uri, host).await,
        (None, Some(files)) => SiteRoot::open(files.clone())?.status(uri.path()),
        (None, None) => Err(invalid("the target has neither files nor a server".into())),
    }
}

async fn ask_server(upstream: &Upstream, uri: Uri, host: &str) -> io::Result<u16> {
    let instance = Instance::new(upstream.clone());
    let stream = dial::connect(&instance, CONNECT).await?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    let request = Request::get(uri)
        .header(HOST, host)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT, "text/html,*/*;q=0.8")
        .body(Empty::<Bytes>::new())
        .map_err(io::Error::other)?;
    let mut connection = std::pin::pin!(connection);
    let mut response = std::pin::pin!(sender.send_request(request));
    let answered = tokio::select! {
        biased;
        response = &mut response => response,
        // What the connection's end means for the request, the request says.
        _ = &mut connection => response.await,
    };
    Ok(answered.map_err(io::Error::other)?.status().as_u16())
}

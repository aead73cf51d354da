//! Files on disk that the edge serves itself.
//!
//! Nothing outside a site's folder can be named: each file is opened beneath a descriptor of the
//! folder (openat2 with `RESOLVE_BENEATH`), whatever the path and its symbolic links say.

mod file_body;
mod find;
mod negotiate;
mod path;
mod range;
mod respond;

pub(crate) use file_body::FileBody;
pub(crate) use find::SiteRoot;

use http::{HeaderMap, Method, Request, Uri};

/// What of a request matters to a site.
#[derive(Clone, Copy)]
pub(crate) struct Query<'a> {
    /// The method.
    pub(crate) method: &'a Method,
    /// The target.
    pub(crate) uri: &'a Uri,
    /// The headers.
    pub(crate) headers: &'a HeaderMap,
}

impl<'a> Query<'a> {
    /// Reads a request.
    pub(crate) fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
        }
    }

    /// Whether it only reads.
    pub(crate) fn is_read(self) -> bool {
        matches!(*self.method, Method::GET | Method::HEAD)
    }
}
